"use strict";
(() => {
  const root = document.documentElement;
  const key = "twenty-conform-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  // Storage may be forbidden, as in a frame.
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem(key, theme); } catch { /* The choice lasts as long as the page. */ } };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  if (["light", "dark"].includes(stored())) root.dataset.theme = stored();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      store(root.dataset.theme);
      name();
    });
    system.addEventListener("change", name);
    name();
    for (const copy of document.querySelectorAll("button.copy")) copy.hidden = false;
  });

  // Where there is no clipboard, or it refuses, as for a page that is not trusted.
  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.className = "unseen";
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return fallback(text);
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const copied = await copy(button.parentElement.querySelector("code").textContent);
    button.focus();
    button.textContent = copied ? "Copied" : "Not copied";
    document.getElementById("said").textContent = button.textContent;
    setTimeout(() => { button.textContent = "Copy"; document.getElementById("said").textContent = ""; }, 2000);
  });
})();
