// One person's way from nothing to a paid call, and the reseller whose price it is. `DEMO` has the
// demo's people with one-time links nobody used.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { launch, signIn, visit } from "./browser.mjs";
import { inspect } from "./looks.mjs";
import { expectNone } from "./watch.mjs";

const { DASHBOARD_URL, RESELLER_URL, GATEWAY_URL, SIMULATOR_URL } = process.env;
const demo = JSON.parse(process.env.DEMO);
const EMAIL = "story@example.test";
const MODEL = "openai/gpt-4o-mini";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function codeSentTo(address) {
  const answer = await fetch(`${SIMULATOR_URL}/_sim/mail/wait?to=${address}`);
  const { mails } = await answer.json();
  return mails[0].subject.match(/^\d{6}/)[0];
}

/** What the gateway says a call costs, in US dollars. */
async function call(apiKey) {
  const client = new OpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey, maxRetries: 0 });
  const answer = await client.chat.completions.create({
    model: MODEL,
    messages: [{ role: "user", content: "hello" }],
  });
  return answer.usage.cost;
}

/** Tries the model in the playground: the last price told while the answer came, and what was charged. */
async function tryOut(page) {
  await page.goto(`${RESELLER_URL}/playground`);
  await page.getByLabel("Model").selectOption(MODEL);
  await page.getByLabel("Prompt").fill("one two three four five six seven");
  await page.evaluate(() => {
    window.said = [];
    const note = (changes) =>
      changes.forEach((it) => it.addedNodes.forEach((text) => window.said.push(text.textContent)));
    new MutationObserver(note).observe(document.querySelector("[data-status]"), { childList: true });
  });
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText(/Charged: \$/).waitFor();
  await inspect(page, "story-playground");
  const said = await page.evaluate(() => window.said);
  const amounts = (pattern) => said.flatMap((text) => text.match(pattern)?.[1] ?? []).map(Number);
  const live = amounts(/^About \$([\d.]+) so far/);
  assert.ok(live.length > 1, `no price while the answer came: ${said}`);
  return { last: live.at(-1), charged: amounts(/Charged: \$([\d.]+)\./)[0] };
}

test("sign up, buy, make a key, call, see the charge; the reseller's new price counts at once", async () => {
  const { page, problems } = await visit(browser);

  await page.goto(`${RESELLER_URL}/`);
  await page.getByLabel("E-mail address").fill(EMAIL);
  await page.getByRole("button", { name: "Send me a code" }).click();
  await page.getByLabel("Code").fill(await codeSentTo(EMAIL));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${RESELLER_URL}/`);
  await inspect(page, "story-newcomer");

  await page.goto(`${RESELLER_URL}/billing`);
  await page.locator('form[action="/billing/orders"] button[type=submit]').first().click();
  await page.waitForURL("**/stripe/pay/**");
  await page.locator("#pay").click();
  await page.waitForURL(`${RESELLER_URL}/billing**`);
  await page.getByText(/thank you/i).first().waitFor();
  await inspect(page, "story-paid");
  await page.goto(`${RESELLER_URL}/`);
  await page.getByText("$10.00").first().waitFor();

  const { last, charged } = await tryOut(page);
  assert.ok(charged > 0 && last > charged / 3 && last < charged * 3, `${last}, then ${charged}`);

  await page.goto(`${RESELLER_URL}/keys/new`);
  await page.getByLabel("Name", { exact: true }).fill("laptop");
  await page.locator('form[action="/keys"] button[type=submit]').click();
  const key = (await page.locator("body").innerText()).match(/tg_live_[0-9A-Za-z]+/)[0];
  await inspect(page, "story-key");

  const first = await call(key);
  assert.ok(first > 0);
  await page.goto(`${RESELLER_URL}/requests`);
  await page.getByText(MODEL).first().waitFor();
  await page.locator('a[href^="/requests/req_"]').first().click();
  await inspect(page, "story-request");
  expectNone(problems);

  const reseller = await signIn(browser, demo.reseller.sign_in_url);
  await reseller.page.goto(`${DASHBOARD_URL}/prices`);
  const draft = reseller.page.locator("#what-if");
  await draft.getByLabel("Models", { exact: true }).fill("openai/*");
  await draft.getByLabel("Markup", { exact: true }).fill("150");
  await draft.getByRole("button", { name: "Show what it does" }).click();
  const save = reseller.page.locator('form[action="/prices/rules"] button[type=submit]');
  await save.waitFor();
  await inspect(reseller.page, "story-price");
  await save.click();
  await reseller.page.waitForURL("**/prices?done=**");
  // A preview that a later one replaces is ended, and htmx says so.
  expectNone(reseller.problems, ["htmx:afterRequest", "htmx:sendAbort"]);

  // 25 % became 150 % on the same cost.
  const second = await call(key);
  assert.ok(second > first * 1.9 && second < first * 2.1, `${first}, then ${second}`);
});
