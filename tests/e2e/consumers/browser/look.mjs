// Opens pages in Chromium and says what it saw: one line of JSON a page, on standard output.
//
//   look.mjs CHROMIUM DIRECTORY     DIRECTORY has fleet.html, rich.html, empty.html, vast.html and hostile-*.html
//
// With SEAWORTHY_WRITE_SCREENSHOTS set to a directory, pictures of the page are written there.
import { readdirSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.BROWSER_MODULES ? join(process.env.BROWSER_MODULES, "look.mjs") : import.meta.url);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");
const [executablePath, directory] = process.argv.slice(2);
const pictures = process.env.SEAWORTHY_WRITE_SCREENSHOTS;
const profile = mkdtempSync(join(tmpdir(), "seaworthy-browser-"));
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const asked = [];
const noise = [];

async function open(browser, name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(join(directory, name)).href;
  // Whatever is asked for but the page itself is refused and told.
  await context.route("**/*", (route) => {
    if (route.request().url().split("#")[0] === url) return route.continue();
    asked.push(name + " asks for " + route.request().url());
    return route.abort();
  });
  page.on("dialog", async (dialog) => { noise.push(name + " opened a dialog: " + dialog.message()); await dialog.dismiss(); });
  page.on("pageerror", (error) => noise.push(name + " failed: " + error.message));
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) noise.push(name + " said: " + message.text()); });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  return page;
}

async function accessible(page) {
  // The page forbids foreign scripts; one that a debugger evaluates is none of the page's.
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axe, "utf8"));
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.flatMap((violation) => violation.nodes.slice(0, 3).map((node) => violation.id + ": " + node.target.join(" ") + ": " + node.failureSummary.split("\n").slice(1).join(" ").trim()));
}

const visible = (page, selector) => page.locator(selector).filter({ visible: true }).count();
const told = (object) => process.stdout.write(JSON.stringify(object) + "\n");
const browser = await chromium.launch({ executablePath, headless: true, args });
try {
  // Everything by mouse and keys.
  const page = await open(browser, "rich.html");
  const rows = "#findings-live table.findings > tbody > tr:not(.more)";
  const seen = { page: "rich", all: await page.locator(rows).count(), workloads: await page.locator("#workloads-live tbody tr").count() };
  await page.keyboard.press("/");
  seen.focused = await page.evaluate(() => document.activeElement.id);
  await page.keyboard.type("digest-mismatch");
  seen.searched = await page.locator(rows).count();
  seen.searchedText = await page.locator(rows).first().innerText();
  await page.keyboard.press("Escape");
  seen.cleared = await page.locator(rows).count();
  await page.selectOption("#filter-status", "1");
  seen.unknownOnly = await page.locator(rows + " .s").allInnerTexts();
  await page.click("#clear");
  const heading = page.locator("#findings-live thead th").nth(4);
  await heading.locator("button").focus();
  await page.keyboard.press("Enter");
  seen.ascending = [await heading.getAttribute("aria-sort"), await page.locator(rows + " > td:nth-child(5) > bdi").allInnerTexts()];
  await page.keyboard.press("Enter");
  seen.descending = [await heading.getAttribute("aria-sort"), await page.locator(rows + " > td:nth-child(5) > bdi").allInnerTexts()];
  await page.keyboard.press("Enter");
  await page.locator(rows, { hasText: "digest-mismatch" }).locator("button.open").focus();
  await page.keyboard.press("Enter");
  seen.opened = await page.locator("#findings-live tr.more").count();
  seen.command = await page.locator("#findings-live tr.more .command pre").first().innerText();
  const id = await page.locator(rows).nth(2).getAttribute("id");
  await page.evaluate((hash) => { location.hash = hash; }, id);
  await page.waitForSelector("#" + id + "-more");
  seen.linked = true;
  await page.locator("#images-live button.open").nth(1).click();
  seen.evidence = await page.locator("#images-live tr.more").innerText();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  seen.light = await ground();
  seen.lightViolations = await accessible(page);
  await page.click("#theme");
  seen.dark = await ground();
  seen.darkViolations = await accessible(page);
  told(seen);

  // The other states of a page, also as the reader's system prefers it.
  for (const [name, options] of [["fleet.html", { colorScheme: "dark" }], ["empty.html", {}], ["fleet.html", { viewport: { width: 420, height: 900 } }]]) {
    const other = await open(browser, name, options);
    told({ page: name, options, ground: await other.evaluate(() => getComputedStyle(document.body).backgroundColor), violations: await accessible(other),
      wide: await other.evaluate(() => document.documentElement.scrollWidth > innerWidth) });
    await other.context().close();
  }

  // Without scripting.
  for (const name of ["fleet.html", "vast.html"]) {
    const plain = await open(browser, name, { javaScriptEnabled: false });
    told({ page: name, scripting: false, causes: await visible(plain, "li.cause"), summary: await visible(plain, "#summary .tile"), exceptions: await visible(plain, "#exceptions tbody tr"), search: await visible(plain, "#search"), matrix: await visible(plain, "#workloads") });
    await plain.context().close();
  }

  // On paper.
  const paper = await open(browser, "fleet.html", { colorScheme: "dark" });
  await paper.emulateMedia({ media: "print" });
  await paper.evaluate(() => dispatchEvent(new Event("beforeprint")));
  told({ page: "fleet.html", paper: await paper.evaluate(() => getComputedStyle(document.body).backgroundColor), search: await visible(paper, "#search"), opened: await visible(paper, "tr.more"), folded: await paper.locator("details:not([open])").count() });
  await paper.context().close();

  // Names that mean harm.
  for (const name of readdirSync(directory).filter((file) => file.startsWith("hostile")).sort()) {
    const harm = await open(browser, name);
    for (const part of ["findings", "workloads", "images"]) {
      const buttons = harm.locator(`#${part}-live button.open`);
      for (let at = 0; at < Math.min(await buttons.count(), 4); at += 1) await buttons.nth(at).click();
    }
    told({ page: name, images: await harm.locator("img, iframe, object, embed, form, video, audio").count(), scripts: await harm.locator("script").count(), ran: await harm.evaluate(() => "pwned" in globalThis), text: (await harm.locator("body").innerText()).includes("</script><img src=x onerror=") || (await harm.locator("body").innerText()).includes("<script>") });
    await harm.context().close();
  }

  // Ten thousand workloads.
  const vast = await open(browser, "vast.html");
  const timing = await vast.evaluate(async () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const search = document.getElementById("search");
    const took = (change) => { const begun = performance.now(); change(); document.body.offsetHeight; return performance.now() - begun; };
    const type = (text) => took(() => { search.value = text; search.dispatchEvent(new Event("input", { bubbles: true })); });
    const first = type("team-7");
    const again = [type("service-99"), type("timeout registry1"), type("")];
    const status = document.getElementById("filter-status");
    const chosen = took(() => { status.value = "1"; status.dispatchEvent(new Event("change")); });
    return { paint: paint ? paint.startTime : null, loaded: performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart, first, again, chosen };
  });
  told({ page: "vast.html", timing, count: await vast.locator("#workloads-count").innerText() });

  if (pictures) {
    for (const colorScheme of ["light", "dark"]) {
      const shown = await open(browser, "rich.html", { colorScheme });
      await shown.screenshot({ path: join(pictures, `report-${colorScheme}.png`), clip: { x: 0, y: 0, width: 1280, height: 1400 }, fullPage: true });
      await shown.context().close();
    }
  }
  told({ asked, noise });
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
