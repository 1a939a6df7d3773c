"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("filters");
  if (!form) return;
  const rows = [...document.querySelectorAll("details.requirement")].map((row) => {
    const parts = row.querySelectorAll("summary .id, summary .title, .sentence, .facts dd");
    return { row, text: [...parts].map((part) => part.textContent).join("\n").toLowerCase() };
  });
  const groups = [...document.querySelectorAll("section.group")];
  const shown = document.getElementById("shown");
  const none = document.getElementById("none-shown");
  const search = form.elements.q;
  const names = ["verdict", "level", "group"];

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of rows) {
      const matches = names.every((name) => !form.elements[name].value || form.elements[name].value === row.dataset[name])
        && words.every((word) => text.includes(word));
      row.hidden = !matches;
      count += matches ? 1 : 0;
    }
    for (const group of groups) group.hidden = !group.querySelector("details.requirement:not([hidden])");
    none.hidden = count > 0;
    const all = count === rows.length;
    shown.textContent = all ? `${count} requirements` : `${count} of ${rows.length} requirements`;
  };
  const state = () => {
    const fields = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...fields]) if (!value) fields.delete(name);
    return fields.toString();
  };
  // A page in a frame or a file may not have a history.
  const remember = () => {
    try { history.replaceState(null, "", `#${state()}`); } catch { /* The filters work without it. */ }
  };
  const clear = () => {
    search.value = "";
    for (const name of names) form.elements[name].value = "";
  };
  const reveal = (row) => {
    if (row.hidden) {
      clear();
      filter();
    }
    row.open = true;
    row.scrollIntoView({ block: "start" });
    row.querySelector("summary").focus({ preventScroll: true });
  };
  // The fragment names a requirement, or has the state of the filters.
  const follow = () => {
    let fragment = location.hash.slice(1);
    try { fragment = decodeURIComponent(fragment); } catch { /* It names nothing. */ }
    const named = fragment && rows.find(({ row }) => row.id === fragment);
    if (named) {
      reveal(named.row);
    } else if (fragment.includes("=")) {
      const fields = new URLSearchParams(location.hash.slice(1));
      search.value = fields.get("q") ?? "";
      for (const name of names) {
        const select = form.elements[name];
        const value = fields.get(name) ?? "";
        select.value = [...select.options].some((option) => option.value === value) ? value : "";
      }
      filter();
    }
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => { filter(); remember(); search.focus(); }));
  filter();
  follow();
  addEventListener("hashchange", () => {
    follow();
    if (location.hash.includes("=")) document.getElementById("requirements").scrollIntoView();
  });
  // A second click on the same link changes no fragment.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (document.activeElement === search && search.value) {
      search.value = "";
      filter();
      remember();
      event.preventDefault();
      return;
    }
    const open = document.activeElement?.closest("details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });
  // On paper, everything that did not pass is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = rows.map(({ row }) => row).filter((row) => row.dataset.verdict !== "pass" && !row.open && !row.hidden);
    for (const row of opened) row.open = true;
  });
  addEventListener("afterprint", () => { for (const row of opened) row.open = false; });
});
