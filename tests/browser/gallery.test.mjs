// Every page of every role: four pictures each, and what must hold in all of them. `DEMO` has the demo's
// people with one-time links nobody used.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, signIn, visit } from "./browser.mjs";
import { inspect } from "./looks.mjs";
import { expectNone } from "./watch.mjs";
import { weigh } from "./weight.mjs";

const demo = JSON.parse(process.env.DEMO);
const people = {
  end_user: [
    "/", "/keys", "/keys/new", "/requests", "/billing", "/billing/statement", "/playground", "/audit", "/settings",
    "/settings/close",
  ],
  reseller: ["/prices", "/prices/history", "/customers", "/revenue", "/brand", "/"],
  operator: [
    "/prices", "/customers", "/revenue", "/brand", "/resellers", "/models", "/provider-accounts", "/domains",
    "/audit", "/settings",
  ],
};

let browser;
before(async () => {
  browser = await launch();
  // Something to see: a few calls with the end user's key.
  for (const model of ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4", "openai/gpt-4o-mini"]) {
    await fetch(`${process.env.GATEWAY_URL}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${demo.reseller_customer_key}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "hello out there" }] }),
    });
  }
});
after(() => browser?.close());

for (const [name, paths] of Object.entries(people)) {
  test(`the pages of the ${name}`, async (t) => {
    const { context, page, problems } = await signIn(browser, demo[name].sign_in_url);
    const origin = new URL(page.url()).origin;
    for (const path of paths) {
      await t.test(path, async () => {
        const answer = await page.goto(origin + path);
        assert.equal(answer.status(), 200);
        await inspect(page, `${name}${path.replaceAll("/", "-").replace(/-$/, "-start")}`);
        expectNone(problems);
      });
    }
    await context.close();
  });
}

test("the way in", async () => {
  const { context, page, problems } = await visit(browser);
  await page.goto(`${process.env.DASHBOARD_URL}/sign-in`);
  await inspect(page, "sign-in");
  await page.getByRole("textbox").fill("gallery@example.test");
  await page.getByRole("button").first().click();
  await page.waitForURL("**/sign-in/code");
  await inspect(page, "sign-in-code");
  expectNone(problems);
  await context.close();
});

test("the first page and all scripts are light", async () => {
  const { gzip, script } = await weigh(browser, `${process.env.DASHBOARD_URL}/sign-in`);
  assert.ok(gzip < 100_000, `the first page has ${gzip} bytes`);
  assert.ok(script < 60_000, `the scripts have ${script} bytes`);
});
