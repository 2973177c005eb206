// How a page looks on a desktop and a phone, light and dark: pictures for people, and checks of what
// must hold in all four.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkAccessibility } from "./axe.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};
const SCHEMES = ["light", "dark"];

/** Where pictures go: `SCREENSHOTS_DIR`, or else `target/screenshots` in the repository. */
export const folder = () => process.env.SCREENSHOTS_DIR || path.join(root, "target/screenshots");

/**
 * Takes four pictures of the page as it is now, `NAME-desktop-light.png` and so on, in full length,
 * and fails when it is wider than the screen or axe finds something grave. The page is not loaded
 * anew, so that what is shown only once stays. Returns the names of the files.
 */
export async function inspect(page, name) {
  await mkdir(folder(), { recursive: true });
  const before = page.viewportSize();
  const files = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      const file = path.join(folder(), `${name}-${size}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: "disabled" });
      files.push(file);
      await naming(`${name}, ${size}, ${colorScheme}`, async () => {
        await checkWidth(page);
        await checkAccessibility(page);
      });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
  return files;
}

/** Waits for fonts, pictures and two frames with the new size and colours. */
async function settle(page) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
  });
}

async function checkWidth(page) {
  const { content, screen, viewport } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    screen: document.documentElement.clientWidth,
    viewport: document.querySelector("meta[name=viewport]")?.content ?? "",
  }));
  // A real phone lays a page without this out as if it were a desktop, which a narrow window does not.
  if (!viewport.includes("width=device-width")) throw new Error("the page does not fit itself to phones");
  if (content > screen) throw new Error(`the page is ${content} pixels wide on a screen of ${screen}`);
}

async function naming(what, work) {
  try {
    await work();
  } catch (error) {
    error.message = `${what}: ${error.message}`;
    throw error;
  }
}
