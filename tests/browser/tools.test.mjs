// The tools beside this find what they are for: each page here has one thing wrong with it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { checkAccessibility } from "./axe.mjs";
import { launch, signIn, visit } from "./browser.mjs";
import { inspect } from "./looks.mjs";
import { expectNone } from "./watch.mjs";
import { weigh } from "./weight.mjs";

const SCRIPT = "globalThis.loaded = true;".repeat(100);
const POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'";

const page = (body, head = "") => `<!doctype html><html lang="en"><head><title>A page</title>
  <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
  <style>:root { color-scheme: light dark }</style>${head}</head><body><main><h1>A page</h1>${body}</main></body></html>`;

const PAGES = {
  "/good": page("<p>Nothing is wrong.</p>", `<script src="/script.js"></script>`),
  "/inline": page("<script>globalThis.inline = true</script>"),
  "/exception": page("", `<script src="/throw.js"></script>`),
  "/missing": page(`<img src="/nothing.png" alt="">`),
  "/pale": page(`<p style="color:#bbb;background:#fff">Hard to read</p>`),
  "/pale-in-the-dark": page("<p>Hard to read</p>", `<style>@media (prefers-color-scheme: dark) {
    p { color: #333; background: #000 } }</style>`),
  "/nameless": page("<button></button>"),
  "/wide": page(`<div style="width:600px">wide</div>`),
  "/desktop-only": page("<p>Fine</p>").replace(/<meta name="viewport"[^>]*>/, ""),
  "/link": page("<form method=post><button>Sign in</button></form>"),
};

const COOKIE = "__Host-session=1; Path=/; Secure; HttpOnly; SameSite=Lax";

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://here");
  response.setHeader("content-security-policy", POLICY);
  if (pathname === "/script.js" || pathname === "/throw.js") {
    response.setHeader("content-type", "text/javascript");
    return response.end(pathname === "/script.js" ? SCRIPT : "throw new Error('on purpose')");
  }
  if (pathname === "/link-at-once" || (pathname === "/link" && request.method === "POST")) {
    return response.writeHead(303, { "set-cookie": COOKIE, location: "/good" }).end();
  }
  const body = PAGES[pathname];
  response.statusCode = body ? 200 : 404;
  response.setHeader("content-type", "text/html");
  response.end(body);
});

let browser;
let folder;
let origin;
before(async () => {
  // These pictures are for nobody to look at.
  folder = await mkdtemp(path.join(tmpdir(), "tollgate-pictures-"));
  process.env.SCREENSHOTS_DIR = folder;
  browser = await launch();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(async () => {
  await browser?.close();
  server.close();
  await rm(folder, { recursive: true });
});

async function on(where, work) {
  const person = await visit(browser);
  await person.page.goto(origin + where);
  await work(person);
  await person.context.close();
}

test("a good page passes, and its picture is taken four times", () =>
  on("/good", async ({ page, problems }) => {
    const files = await inspect(page, "good");
    expectNone(problems);
    const names = ["desktop-light", "desktop-dark", "phone-light", "phone-dark"];
    assert.deepEqual(files, names.map((name) => path.join(folder, `good-${name}.png`)));
    const pictures = await Promise.all(files.map((file) => readFile(file)));
    assert.equal(new Set(pictures.map((picture) => picture.toString("base64"))).size, 4);
    assert.deepEqual(page.viewportSize(), { width: 1280, height: 800 });
  }));

test("what goes wrong in silence is heard", async () => {
  const check = (where, part) =>
    on(where, async ({ page, problems }) => {
      await page.waitForLoadState("networkidle");
      assert.throws(() => expectNone(problems), part, where);
      expectNone(problems);
    });
  await check("/inline", /console: .*Content Security Policy/);
  await check("/exception", /exception: on purpose/);
  await check("/missing", /console: .*404.*nothing\.png/);
});

test("a problem that a test expects is let pass, and only that", () =>
  on("/missing", async ({ page, problems }) => {
    await page.waitForLoadState("networkidle");
    problems.push("another");
    assert.throws(() => expectNone(problems, ["nothing.png"]), /^Error: on the page:\nanother$/);
  }));

test("what people cannot read or use is found, in every light and at every width", async () => {
  const check = (where, part) =>
    on(where, async ({ page }) => {
      await assert.rejects(inspect(page, "bad"), part, where);
    });
  await check("/pale", /desktop, light: axe .*color-contrast/s);
  await check("/pale-in-the-dark", /desktop, dark: axe .*color-contrast/s);
  await check("/nameless", /critical: Buttons must have discernible text/);
  await check("/wide", /phone, light: the page is \d+ pixels wide on a screen of 390/);
  await check("/desktop-only", /does not fit itself to phones/);
});

test("axe leaves the policy of the page alone", () =>
  on("/good", async ({ page, problems }) => {
    assert.deepEqual(await checkAccessibility(page), []);
    const blocked = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.text = "globalThis.ran = true";
      document.head.append(script);
      return globalThis.ran === undefined;
    });
    assert.ok(blocked);
    assert.throws(() => expectNone(problems), /Content Security Policy/);
  }));

test("a page is weighed with everything that it loads", async () => {
  const { wire, gzip, script } = await weigh(browser, `${origin}/good`);
  assert.equal(script, gzipSync(SCRIPT).length);
  const texts = PAGES["/good"].length + SCRIPT.length;
  assert.ok(wire > texts && wire < texts + 2_000, `${wire} for ${texts}`);
  assert.ok(gzip < wire - SCRIPT.length / 2, `${gzip} of ${wire}`);
  const inline = await weigh(browser, `${origin}/inline`);
  assert.ok(inline.script > 0);
});

test("a link signs in, whether it asks first or not", async () => {
  for (const where of ["/link", "/link-at-once"]) {
    const { context, page, problems } = await signIn(browser, origin + where);
    assert.equal(page.url(), `${origin}/good`);
    expectNone(problems);
    await context.close();
  }
  await assert.rejects(signIn(browser, `${origin}/nameless`), /the page at .* says: A page/);
});
