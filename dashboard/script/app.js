// What pages need a script for and htmx does not do. Every page works without it where it can. It is read
// before the page is painted, so it listens at the document, where everything passes.
"use strict";

{
  const root = document.documentElement;
  // What needs a script is shown where there is one.
  root.dataset.script = "";

  const kept = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // Storage is off: the theme is the system's.
    }
  };
  const theme = kept();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const switchTheme = () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // It lasts until the next page.
    }
  };

  // A button with `data-copy="#id"` puts the text of that element on the clipboard and says so.
  const copy = async (button) => {
    const source = document.querySelector(button.dataset.copy);
    const said = button.querySelector("[aria-live]") ?? button;
    const label = (button.dataset.label ??= said.textContent);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
    } catch {
      // Not allowed: it is marked, and the keyboard copies it.
      getSelection().selectAllChildren(source);
      return;
    }
    said.textContent = button.dataset.copied;
    setTimeout(() => {
      said.textContent = label;
    }, 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.copy) copy(button);
    else if (button?.matches("[data-theme-switch]")) switchTheme();
  });

  // A form is sent once: its button turns and sends nothing more until the answer is there.
  const done = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  };
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!form.matches("[data-busy]")) return;
      if ("sent" in form.dataset) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sent = "";
      event.submitter?.setAttribute("aria-busy", "true");
    },
    true,
  );
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("[data-busy]");
    if (form) done(form);
  });
  // A page that comes back from the browser's memory is as it was left.
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("[data-sent]").forEach(done);
  });
}
