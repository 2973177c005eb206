// Starts Chromium and lets people in. What is looked at on their pages stands in the files beside this.
import { chromium } from "playwright-core";
import { watch } from "./watch.mjs";

// No sandbox, because CI runs as root. The rest keeps the browser from talking to anybody but the
// pages, and those on TCP.
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long a page may take for anything, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Starts the browser that `CHROMIUM_BIN` names; whoever asks for it closes it. */
export async function launch() {
  const executablePath = process.env.CHROMIUM_BIN;
  if (!executablePath) throw new Error("`CHROMIUM_BIN` must name the browser");
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * A person who has never been here: a page in a context of its own, and what went wrong on it so far.
 * `options` are Playwright's for contexts. Returns `{ context, page, problems }`.
 */
export async function visit(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const problems = watch(context);
  return { context, page: await context.newPage(), problems };
}

/**
 * A person who opens the one-time link and ends on a page behind it. A page that asks before it uses
 * the link up is answered with its only button.
 */
export async function signIn(browser, link, options = {}) {
  const person = await visit(browser, options);
  const { context, page } = person;
  await page.goto(link);
  const signedIn = async () =>
    (await context.cookies()).some((cookie) => cookie.name === "__Host-session");
  if (!(await signedIn())) await page.getByRole("button").click();
  await page.waitForLoadState();
  if (!(await signedIn())) {
    const shown = await page.locator("body").innerText();
    throw new Error(`the link did not sign in; the page at ${page.url()} says: ${shown}`);
  }
  return person;
}
