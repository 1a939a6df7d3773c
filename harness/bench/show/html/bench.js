"use strict";
// Shows the value of a place of a chart: of the pointer's, or of the one that the arrow keys chose.
document.addEventListener("DOMContentLoaded", () => {
  for (const plot of document.querySelectorAll(".plot")) {
    const columns = [...plot.querySelectorAll(".column")];
    const value = plot.querySelector(".value");
    // Without the script, the browser shows the titles.
    const sentences = columns.map((column) => {
      const title = column.querySelector("title");
      title.remove();
      return title.textContent;
    });
    let chosen = -1;
    const choose = (at) => {
      columns[chosen]?.classList.remove("on");
      chosen = at;
      columns[chosen]?.classList.add("on");
      value.classList.toggle("hint", chosen < 0);
      value.textContent = sentences[chosen] ?? value.dataset.hint;
    };
    choose(-1);
    const area = plot.querySelector(".area");
    area.tabIndex = 0;
    const point = (event) => {
      const at = columns.indexOf(event.target.closest(".column"));
      if (at >= 0 && at !== chosen) choose(at);
    };
    area.addEventListener("pointermove", point);
    area.addEventListener("pointerdown", point);
    area.addEventListener("keydown", (event) => {
      const last = columns.length - 1;
      const next = { ArrowRight: Math.min(chosen + 1, last), ArrowLeft: Math.max(chosen - 1, 0), Home: 0, End: last, Escape: -1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      choose(next);
    });
    area.addEventListener("blur", () => choose(-1));
    area.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") choose(-1); });
  }
});
