// The files that were not uploaded, those with the same problem together. Many of them are a fold, whose list of paths is
// made when it is opened and updated in place: thousands of lines are not made again at each progress of an upload.
const MOST_LINES = 3; // files of one problem, each with a line of its own

const makeElement = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

class ProblemFold {
  constructor(problem) {
    this.problem = problem;
    this.summary = makeElement("summary");
    this.paths = makeElement("ul");
    this.fold = makeElement("details");
    this.fold.append(this.summary, this.paths);
    this.row = makeElement("li");
    this.row.append(this.fold);
    this.lines = new Map();
    this.fold.addEventListener("toggle", () => this.showPaths());
  }

  show(items) {
    this.items = items;
    const text = `${items.length.toLocaleString("en")} files, such as ${items[0].path}: ${this.problem}`;
    if (this.summary.textContent !== text) this.summary.textContent = text;
    this.showPaths();
  }

  showPaths() {
    if (!this.fold.open) return;
    const shown = new Set(this.items);
    for (const [item, line] of this.lines) {
      if (shown.has(item)) continue;
      line.remove();
      this.lines.delete(item);
    }
    const added = this.items.filter((item) => !this.lines.has(item));
    for (const item of added) this.lines.set(item, makeElement("li", { textContent: item.path }));
    this.paths.append(...added.map((item) => this.lines.get(item)));
  }
}

function groupByProblem(items) {
  const groups = new Map();
  for (const item of items) {
    if (!groups.has(item.problem)) groups.set(item.problem, []);
    groups.get(item.problem).push(item);
  }
  return groups;
}

// A row stays where it is, with the focus, unless it is a line with another text.
const isSameRow = (row, shown) => row === shown || (!row.firstElementChild && row.isEqualNode(shown ?? null));

export class ProblemList {
  constructor(list) {
    this.list = list;
    this.folds = new Map();
  }

  // `items` have a path and a problem. A fold stays in the page, open or not, while its problem has many files.
  show(items) {
    this.list.hidden = !items.length;
    const rows = [...groupByProblem(items)].flatMap(([problem, group]) => this.makeRows(problem, group));
    const { children } = this.list;
    rows.forEach((row, place) => {
      if (!isSameRow(row, children[place])) this.list.insertBefore(row, children[place] ?? null);
    });
    while (children.length > rows.length) this.list.lastElementChild.remove();
  }

  makeRows(problem, items) {
    if (items.length <= MOST_LINES) return items.map(({ path }) => makeElement("li", { textContent: `${path}: ${problem}` }));
    if (!this.folds.has(problem)) this.folds.set(problem, new ProblemFold(problem));
    const fold = this.folds.get(problem);
    fold.show(items);
    return [fold.row];
  }
}
