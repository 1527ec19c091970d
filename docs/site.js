// What scrolls can be reached by the keyboard; the search and each code block's toolbar have a name.
function reachable() {
  document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap").forEach((box) => {
    box.tabIndex = 0;
  });
  document.querySelectorAll(".md-code__nav").forEach((nav, i) => {
    if (!nav.ariaLabel) nav.ariaLabel = `Code block ${i + 1}`;
  });
}
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });
reachable();
