// Accessibility (axe-core) of pages in Chromium, on a phone and on a desk, light and dark.
//
//     make check-pages
//     node tools/check_pages.mjs build/site report.html
//
// A folder is a built site; of it the main pages are taken (--all: every one), over a server on
// this machine alone.
// Looked for: axe's findings, something wider than the window, words on the console, addresses
// elsewhere. Reports are looked at with all their tables open, and as they print; --shots keeps the print as a PDF, too.
// --shots FOLDER keeps pictures. Needs chromium, and the packages axe-core and puppeteer-core.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "fs";
import { createServer } from "http";
import { createRequire } from "module";
import { basename, extname, join, resolve } from "path";

const MAIN = ["index", "first-ten-minutes", "schemes", "ways-in", "faq", "compared", "api", "errors", "semantics", "tools"];
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png" };
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"].map((name) => `/usr/bin/${name}`).find(existsSync);

const words = process.argv.slice(2);
const all = words.includes("--all") && words.splice(words.indexOf("--all"), 1);
const at = words.indexOf("--shots");
const shots = at < 0 ? null : words.splice(at, 2)[1];
if (!words.length || !CHROMIUM) {
  console.error(CHROMIUM ? "give a built site or a report" : "no Chromium: make setup-browser");
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });
const require = createRequire(resolve(process.env.NODE_MODULES || ".", "x.js"));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const puppeteer = require("puppeteer-core");

let folder = ".";
const server = createServer((asked, answer) => {
  const path = join(folder, decodeURIComponent(new URL(asked.url, "http://x").pathname));
  if (path === join(folder, "favicon.ico")) return answer.writeHead(204).end();
  if (!existsSync(path) || statSync(path).isDirectory()) return answer.writeHead(404).end();
  answer.writeHead(200, { "Content-Type": TYPES[extname(path)] || "application/octet-stream" });
  answer.end(readFileSync(path));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const here = `http://127.0.0.1:${server.address().port}`;
const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });

async function look(name, as, { width, scheme, media = "screen" }) {
  const context = await browser.createBrowserContext(); // nothing remembered of the last look
  const page = await context.newPage();
  const said = [], elsewhere = [];
  page.on("console", (line) => said.push(line.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (asked) => { if (!asked.url().startsWith(here) && !asked.url().startsWith("data:")) elsewhere.push(asked.url()); });
  await page.setViewport({ width, height: 900 });
  await page.setBypassCSP(true); // for axe itself
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  if (media === "print") await page.emulateMediaType(media);
  await page.goto(`${here}/${name}`, { waitUntil: "networkidle0" });
  if (media !== "print") await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  await new Promise((passed) => setTimeout(passed, 500)); // what fades in at the start
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  const kept = join(shots || ".", `${as}-${width}-${media === "print" ? media : scheme}`);
  if (shots) await page.screenshot({ path: `${kept}.png`, fullPage: true });
  if (shots && media === "print") await page.pdf({ path: `${kept}.pdf`, format: "A4", preferCSSPageSize: true, printBackground: true });
  await context.close();
  const problems = found.violations.map((v) => `${v.impact} ${v.id}: ${v.help} (${v.nodes.length}, ${v.nodes[0].target})`);
  if (wide > width) problems.push(`${wide} pixels wide`);
  problems.push(...said.map((line) => `console: ${line}`), ...elsewhere.map((url) => `asks ${url}`));
  return problems;
}

let looked = 0, wrong = 0;
for (const word of words) {
  const site = statSync(word).isDirectory();
  folder = site ? resolve(word) : resolve(word, "..");
  const every = site && all ? readdirSync(word, { recursive: true }).filter((name) => name.endsWith(".html") && name !== "404.html").sort() : null;
  const names = every || (site ? MAIN.map((name) => `${name}.html`) : [basename(word)]);
  const ways = [{ width: 390, scheme: "light" }, { width: 1400, scheme: "light" }, { width: 1400, scheme: "dark" }];
  if (!site) ways.push({ width: 1000, scheme: "light", media: "print" });
  for (const name of names) for (const way of ways) {
    const as = (site ? "" : "file-") + name.replace(/\.html$/, "").replaceAll("/", "-"); // of its pictures
    const problems = await look(name, as, way);
    looked += 1;
    wrong += problems.length;
    for (const line of problems) console.log(`${name} ${way.width} ${way.media || way.scheme}: ${line}`);
  }
}
await browser.close();
server.close();
console.log(`${looked} looks, ${wrong} findings`);
process.exit(wrong ? 1 : 0);
