// Sort the leaderboard by a column, inside each track. Without this script it is a plain table.
"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const table = document.querySelector("table.board");
  const heads = [...table.querySelectorAll("thead th")];

  const value = (row, column) => row.children[column].dataset.value;

  const compare = (column, numeric, sign) => (one, other) => {
    const [a, b] = [value(one, column), value(other, column)];
    if (a === "" || b === "") return (a === "") - (b === ""); // what is missing stays last
    return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b));
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      // Figures start with the best: the smallest for rank, time and memory.
      const smallestFirst = !numeric || head.classList.contains("smallest");
      const before = head.getAttribute("aria-sort");
      const first = smallestFirst ? "ascending" : "descending";
      const second = smallestFirst ? "descending" : "ascending";
      const order = before === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("track"));
        rows.sort(compare(column, numeric, order === "ascending" ? 1 : -1));
        body.append(...rows);
      }
    });
  });
})();
