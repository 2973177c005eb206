// The simulator's pages, as people use them who try Tollgate out: they read their mail and sign in with
// GitHub. `SIMULATOR_URL` names a running simulator with an empty mailbox.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visit } from "./browser.mjs";
import { inspect } from "./looks.mjs";
import { expectNone } from "./watch.mjs";
import { weigh } from "./weight.mjs";

const origin = process.env.SIMULATOR_URL;
let browser;
before(async () => {
  if (!origin) throw new Error("`SIMULATOR_URL` must name a running simulator");
  browser = await launch();
});
after(() => browser?.close());

async function send(to, subject, html) {
  const answer = await fetch(`${origin}/resend/emails`, {
    method: "POST",
    headers: { authorization: "Bearer re_simulator" },
    body: JSON.stringify({
      from: "Octo Shop <shop@example.com>",
      to,
      subject,
      text: `${subject}\n\nOpen ${origin}/mailbox?to=${to} or copy the code 123456.`,
      html,
    }),
  });
  assert.equal(answer.status, 200);
}

test("people find their mail and follow its links", async () => {
  const nasty = `<script>document.title = "ran"; parent.document.title = "ran"</script>
    <img src="x" onerror="parent.document.title = 'ran'">`;
  const link = `<p>Your code is <b>123456</b>, or use <a href="${origin}/mailbox">this link</a>.</p>`;
  await send("octo-other@example.com", "Not for you", link);
  await send("octo-tester@example.com", `Your code <b>"&'`, `${link}${nasty}`);

  const { context, page, problems } = await visit(browser);
  await page.goto(`${origin}/mailbox`);
  assert.deepEqual(await page.locator("ul.list a").allTextContents(), [`Your code <b>"&'`, "Not for you"]);
  await inspect(page, "simulator-mailbox");
  await page.getByLabel("Only to").fill("octo-tester@example.com");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("link", { name: "Your code" }).click();
  const message = page.url();
  assert.equal(await page.locator("pre a").getAttribute("href"), `${origin}/mailbox?to=octo-tester@example.com`);
  const part = page.frameLocator("iframe");
  await part.getByText("123456").waitFor();
  assert.match(await page.title(), /^Your code/, "script in a mail did not run");
  await inspect(page, "simulator-message");
  expectNone(problems, ["Blocked script execution", "Content Security Policy", `${message}/x csp`]);

  const opened = context.waitForEvent("page");
  await part.getByRole("link").click();
  assert.equal((await opened).url(), `${origin}/mailbox`);

  const { gzip, script } = await weigh(browser, message);
  assert.ok(gzip < 10_000 && script === 0, `${gzip} bytes`);
  await context.close();
});

test("people sign in with GitHub or leave again, with the keyboard alone", async () => {
  const back = `${origin}/mailbox`;
  const asked = new URLSearchParams({
    client_id: "github-simulator",
    redirect_uri: back,
    state: "a state",
    scope: "read:user user:email",
    code_challenge: "a".repeat(43),
    code_challenge_method: "S256",
  });
  const ask = `${origin}/github/login/oauth/authorize?${asked}`;
  const { context, page, problems } = await visit(browser);
  await page.goto(ask);
  await inspect(page, "simulator-github");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${back}?*`);
  const agreed = new URL(page.url()).searchParams;
  assert.equal(agreed.get("state"), "a state");
  assert.match(agreed.get("code"), /^[0-9a-f]{20}$/);

  await page.goto(ask);
  await page.getByLabel("Login").fill("octo-new");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(`${back}?code=*`);
  await page.goto(ask);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForURL(`${back}?error=access_denied*`);
  expectNone(problems);
  await context.close();
});
