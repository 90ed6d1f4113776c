
"use strict";
// Shows the data of the page. Every text in it is harmless already, and none is ever taken for markup.
setTimeout(() => {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);
  const texts = JSON.parse(find("texts").textContent);
  const PAGE = 25;
  const PRINTED = 500;
  const SEVERITIES = ["Critical", "High", "Medium", "Low"];
  const STATUSES = [["failed", "failed"], ["unknown", "unknown"], ["accepted", "unknown, accepted"], ["excepted", "excepted"]];
  const LETTERS = { F: ["failed", "failed"], U: ["unknown", "unknown"], A: ["accepted", "accepted"], E: ["excepted", "excepted"], P: ["passed", "passed"], "-": ["irrelevant", "not in scope"] };
  const MARKS = [null, ["passed", "held"], ["failed", "failed"], ["unknown", "unknown"], ["missing", "missing"], ["irrelevant", "not applicable"]];

  const element = (name, properties, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };
  const name = (text) => element("bdi", {}, text);
  const badge = ([kind, word]) => element("span", { class: "s " + kind }, word);
  const severity = (rank) => element("span", { class: "sev " + SEVERITIES[rank].toLowerCase() }, SEVERITIES[rank]);
  const counted = (count, word) => (count === 1 ? "1 " + word : count.toLocaleString("en") + " " + word + "s");
  const say = (text) => { find("said").textContent = text; };

  // What the numbers mean.
  const controls = data.controls.map(([id, title, rank, preview]) => ({ id: texts[id], title: texts[title], rank, preview: preview === 1 }));
  const columns = data.columns.map((at, nth) => ({ control: controls[at], letters: data.matrix[nth] }));
  const workloads = data.workloads.map(([of, kind, namespace, cluster, owner, origin, pods, images], at) => ({
    at, name: texts[of], kind: texts[kind], namespace: texts[namespace], cluster: texts[cluster], owner: texts[owner], origin: texts[origin], pods, images, causes: [],
  }));
  const ids = new Map();
  const causes = data.causes.map(([id, control, status, code, subject, digest, injected, detail, remediation, help, exception, members], at) => {
    // The same cause, excepted for some: the first has the plain name.
    const nth = (ids.get(id) || 0) + 1;
    ids.set(id, nth);
    const cause = {
      at, id: "cause-" + id + (nth > 1 ? "-" + nth : ""), control: controls[control], status, code: texts[code], subject: texts[subject], digest: texts[digest], injected: injected === 1,
      detail: texts[detail], remediation: texts[remediation], help: texts[help], exception: exception < 0 ? "" : texts[data.exceptions[exception]], members,
    };
    let last = -1;
    cause.workloads = 0;
    for (const member of members) {
      if (member[0] !== last) { cause.workloads += 1; if (workloads[member[0]]) workloads[member[0]].causes.push(at); }
      last = member[0];
    }
    return cause;
  });
  const images = data.images.map(([reference, digest, level, tree], at) => ({ at, reference: texts[reference], digest: texts[digest], level: texts[level], tree, users: [] }));
  for (const workload of workloads) for (const image of workload.images) if (images[image]) images[image].users.push(workload.at);
  const unknowns = (tree) => tree.reduce((sum, node) => sum + (node[0] === 3 ? 1 : 0) + (node[3] ? unknowns(node[3]) : 0), 0);
  const several = new Set(workloads.map((workload) => workload.cluster)).size > 1;
  const titled = (workload) => [workload.namespace, workload.kind, workload.name].filter(Boolean).join("/");

  // Texts to search in, made when they are first needed.
  const lazily = (make) => { let made = null; return () => (made = made || make()); };
  const low = (parts) => parts.join("\n").toLowerCase();
  const flat = (tree) => tree.map(([, label, text, below]) => texts[label] + " " + texts[text] + (below ? "\n" + flat(below) : "")).join("\n");
  const searched = {
    workloads: lazily(() => workloads.map((of) => low([titled(of), of.cluster, of.owner, of.origin, ...of.images.map((at) => (images[at] ? images[at].reference : ""))]))),
    causes: lazily(() => causes.map((of) => low([of.control.id, of.control.title, SEVERITIES[of.control.rank], STATUSES[of.status][1], of.code, of.subject, of.digest, of.detail, of.remediation, of.exception]))),
    images: lazily(() => images.map((of) => low([of.reference, of.digest, of.level, flat(of.tree)]))),
    rows: lazily(() => [...document.querySelectorAll("table.searched tbody tr")].map((row) => [row, row.textContent.toLowerCase()])),
  };

  // A table with pages, whose rows open.
  const table = ({ host, count, caption, className, heads, cells, more, anchor, empty }) => {
    let rows = [];
    let page = 0;
    let size = PAGE;
    let sorted = null;
    let all = 0;
    const opened = new Set();
    const body = element("tbody");
    const headers = heads.map((head, at) => {
      const button = element("button", { type: "button", title: head.title, onclick: () => sort(at) }, head.name);
      return element("th", { scope: "col", class: head.className, "aria-sort": "none" }, button);
    });
    const nothing = element("p", { class: "empty", hidden: true }, empty);
    const previous = element("button", { type: "button", onclick: () => turn(page - 1) }, "Previous");
    const next = element("button", { type: "button", onclick: () => turn(page + 1) }, "Next");
    const where = element("span");
    const pager = element("div", { class: "pager" }, previous, next, where);
    const grid = element("table", { class: className }, element("caption", { class: "hidden" }, caption), element("thead", {}, element("tr", {}, headers)), body);
    const frame = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, grid);
    host.append(frame, nothing, pager);

    const turn = (to) => { page = to; draw(); frame.scrollIntoView({ block: "nearest" }); };
    const sort = (at) => {
      sorted = sorted && sorted.at === at ? (sorted.down ? null : { at, down: true }) : { at, down: false };
      headers.forEach((header, nth) => header.setAttribute("aria-sort", sorted && sorted.at === nth ? (sorted.down ? "descending" : "ascending") : "none"));
      page = 0;
      order();
      draw();
      say(sorted ? "Sorted by " + heads[at].name : "In the order of the report");
    };
    const order = () => {
      rows.sort((one, other) => one.at - other.at);
      if (!sorted) return;
      const key = heads[sorted.at].key;
      const way = sorted.down ? -1 : 1;
      const keyed = rows.map((row) => [key(row), row]);
      keyed.sort(([one, first], [other, second]) => way * (one < other ? -1 : one > other ? 1 : 0) || first.at - second.at);
      rows = keyed.map(([, row]) => row);
    };
    const draw = () => {
      const pages = Math.max(1, Math.ceil(rows.length / size));
      page = Math.min(Math.max(page, 0), pages - 1);
      const drawn = rows.slice(page * size, (page + 1) * size).flatMap((row) => {
        const id = anchor(row);
        const isOpen = opened.has(row.at);
        const made = cells(row);
        const button = element("button", { type: "button", class: "open", "aria-expanded": String(isOpen), "aria-controls": isOpen ? id + "-more" : null, onclick: () => toggle(row) }, made.title);
        const line = element("tr", { id }, made.cells.map((cell, nth) => {
          const inside = nth === made.opens ? button : cell;
          return element(nth === made.opens ? "th" : "td", { class: heads[nth].className, scope: nth === made.opens ? "row" : null }, inside);
        }));
        return isOpen ? [line, element("tr", { class: "more", id: id + "-more" }, element("td", { colspan: String(heads.length) }, more(row)))] : [line];
      });
      body.replaceChildren(...drawn);
      frame.hidden = rows.length === 0;
      nothing.hidden = rows.length > 0;
      previous.disabled = page === 0;
      next.disabled = page >= pages - 1;
      previous.hidden = next.hidden = pages === 1;
      where.textContent = rows.length === 0 ? "" : (page * size + 1).toLocaleString("en") + "–" + Math.min((page + 1) * size, rows.length).toLocaleString("en") + " of " + rows.length.toLocaleString("en");
      count.textContent = rows.length === all ? all.toLocaleString("en") : rows.length.toLocaleString("en") + " of " + all.toLocaleString("en");
    };
    const toggle = (row) => {
      if (!opened.delete(row.at)) opened.add(row.at);
      draw();
      const line = find(anchor(row));
      if (line) line.querySelector("button.open").focus();
    };
    return {
      show: (chosen, whole) => { rows = chosen; all = whole; page = 0; order(); draw(); },
      reveal: (row) => {
        const at = rows.indexOf(row);
        if (at < 0) return false;
        page = Math.floor(at / size);
        opened.add(row.at);
        draw();
        const line = find(anchor(row));
        line.scrollIntoView({ block: "start" });
        line.querySelector("button.open").focus({ preventScroll: true });
        return true;
      },
      print: (whole) => {
        size = whole ? PRINTED : PAGE;
        page = 0;
        const kept = new Set(opened);
        if (whole && rows.length <= PRINTED) rows.forEach((row) => opened.add(row.at));
        draw();
        opened.clear();
        kept.forEach((at) => opened.add(at));
      },
    };
  };

  const jump = (id, text) => element("a", { href: "#" + id }, name(text));
  const command = (text) => {
    const block = element("pre", {}, text);
    const quoted = text.match(/`([^`]+)`/);
    const at = text.search(/\b(cosign|crane|kubectl|docker|seaworthy|gh|slsa-verifier) [a-z-]+ /);
    // The command alone, where the text has one: prose is no use in a shell.
    const copied = quoted ? quoted[1] : at >= 0 ? text.slice(at).split("\n")[0] : text;
    const button = element("button", { type: "button", "aria-label": "Copy the way to fix it", onclick: () => copy(copied, block, button) }, "Copy");
    return element("div", { class: "command" }, block, button);
  };
  const copy = async (text, block, button) => {
    const done = (word) => { button.textContent = word; say(word); setTimeout(() => { button.textContent = "Copy"; }, 2000); };
    try {
      await navigator.clipboard.writeText(text);
      done("Copied");
    } catch {
      getSelection().selectAllChildren(block);
      done("Selected");
    }
  };
  const facts = (pairs) => element("dl", { class: "facts" }, pairs.filter(([, value]) => value).flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]));
  const NOVELTY = ["", "new", "in the baseline"];

  const shownMembers = (cause) => {
    const kept = cause.members.filter((member) => filter.member(member));
    return kept.length > 0 ? kept : cause.members;
  };
  const members = (cause) => {
    const kept = shownMembers(cause);
    const heads = ["Workload", several ? "Cluster" : "", "Owner", "Container", "Basis", data.baseline ? "Baseline" : ""].filter(Boolean);
    const row = ([at, container, image, fresh, basis, place, reference, ...warnings]) => {
      const workload = workloads[at];
      const cells = [
        element("td", {}, jump("workload-" + at, titled(workload))),
        several ? element("td", {}, name(workload.cluster || "–")) : null,
        element("td", {}, name(workload.owner || "–")),
        element("td", {}, name(texts[container]), place ? element("div", {}, name(texts[place])) : "", reference ? element("div", {}, name(texts[reference])) : "",
          warnings.map((warning) => element("div", { class: "warning" }, "⚠ " + texts[warning]))),
        element("td", {}, texts[basis], image >= 0 && images[image] ? element("div", {}, element("a", { href: "#image-" + image }, "evidence")) : ""),
        data.baseline ? element("td", {}, NOVELTY[fresh]) : null,
      ];
      return element("tr", {}, cells);
    };
    const body = element("tbody", {}, kept.slice(0, PAGE).map(row));
    const rest = kept.length - PAGE;
    const all = rest > 0 ? element("button", { type: "button", onclick: () => { body.replaceChildren(...kept.map(row)); all.remove(); } }, "Show " + rest.toLocaleString("en") + " more") : "";
    const grid = element("table", { class: "members" }, element("caption", { class: "hidden" }, "Workloads that share this cause"),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))), body);
    return [element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Workloads that share " + cause.id }, grid), all];
  };

  const findings = table({
    host: find("findings-live"), count: find("findings-count"), caption: "Findings by cause", className: "findings",
    heads: [
      { name: "Severity", key: (of) => of.control.rank },
      { name: "Status", key: (of) => of.status },
      { name: "Control", className: "what", key: (of) => of.control.id },
      { name: "Cause", key: (of) => of.code },
      { name: "About", className: "about", key: (of) => of.subject },
      { name: "Workloads", className: "number", key: (of) => of.workloads },
      { name: "Owner", key: (of) => owners(of) },
    ],
    cells: (of) => ({
      title: [of.control.id + " ", name(of.control.title)], opens: 2,
      cells: [severity(of.control.rank), badge(STATUSES[of.status]), "", [element("code", {}, of.code), of.control.preview ? [" ", element("span", { class: "tag" }, "preview")] : "", fresh(of) ? [" ", element("span", { class: "tag" }, "new")] : ""],
        [name(of.subject), of.injected ? element("div", { class: "quiet" }, "injected after the template") : ""], of.members.length > 0 ? of.workloads.toLocaleString("en") : "–", name(owners(of) || "–")],
    }),
    more: (of) => [
      of.detail ? element("p", {}, of.detail) : "",
      of.exception ? element("p", {}, badge(STATUSES[3]), " " + of.exception) : "",
      of.help ? element("p", {}, of.help) : "",
      of.remediation ? command(of.remediation) : "",
      facts([["Digest", of.digest ? element("code", {}, of.digest) : ""], ["Link", element("a", { href: "#" + of.id }, "#" + of.id)]]),
      of.members.length > 0 ? members(of) : element("p", { class: "quiet" }, "This is about the cluster as a whole."),
    ],
    anchor: (of) => of.id, empty: causes.length > 0 ? "No cause is like that." : workloads.length > 0 ? "Nothing fails and nothing is unknown." : "Nothing is in this scope: nothing was judged, and nothing passed.",
  });
  const fresh = (cause) => data.baseline && cause.members.some((member) => member[3] === 1);
  const owners = (cause) => {
    const all = [...new Set(cause.members.map((member) => workloads[member[0]].owner).filter(Boolean))];
    return all.length > 2 ? all.slice(0, 2).join(", ") + " and " + (all.length - 2) + " more" : all.join(", ");
  };

  const LETTER_ORDER = "FUAEP-";
  const matrix = table({
    host: find("workloads-live"), count: find("workloads-count"), caption: "Workloads and controls", className: "matrix",
    heads: [
      { name: "Workload", key: (of) => of.name },
      { name: "Kind", key: (of) => of.kind },
      { name: "Namespace", key: (of) => of.namespace },
      ...(several ? [{ name: "Cluster", key: (of) => of.cluster }] : []),
      { name: "Owner", key: (of) => of.owner },
      ...columns.map(({ control, letters }) => ({ name: control.id, title: control.title + (control.preview ? " (preview)" : ""), className: "control", key: (of) => LETTER_ORDER.indexOf(letters[of.at]) })),
    ],
    cells: (of) => ({
      title: name(of.name), opens: 0,
      cells: ["", name(of.kind), name(of.namespace || "–"), ...(several ? [name(of.cluster || "–")] : []), name(of.owner || "–"), ...columns.map(({ letters }) => badge(LETTERS[letters[of.at]]))],
    }),
    more: (of) => [
      facts([["Pods", of.pods.toLocaleString("en")], ["Origin", of.origin ? name(of.origin) : ""], ["Images", of.images.length > 0 ? of.images.map((at) => element("div", {}, images[at] ? jump("image-" + at, images[at].reference) : "")) : ""]]),
      of.causes.length === 0 ? element("p", { class: "quiet" }, "Nothing fails here, and nothing is unknown.")
        : element("ul", {}, of.causes.map((at) => element("li", {}, badge(STATUSES[causes[at].status]), " ", element("a", { href: "#" + causes[at].id }, causes[at].control.id + " ", name(causes[at].control.title)), " ", element("code", {}, causes[at].code), " ", name(causes[at].subject)))),
    ],
    anchor: (of) => "workload-" + of.at, empty: workloads.length > 0 ? "No workload is like that." : "Nothing is in this scope.",
  });

  const branch = (tree) => element("ul", { class: "tree" }, tree.map(([mark, label, text, below]) =>
    element("li", {}, MARKS[mark] ? badge(MARKS[mark]) : "", element("span", { class: "label" }, texts[label]), name(texts[text]), below ? branch(below) : "")));
  const evidence = table({
    host: find("images-live"), count: find("images-count"), caption: "Evidence of each image",
    heads: [
      { name: "Image", key: (of) => of.reference },
      { name: "Digest", key: (of) => of.digest },
      { name: "SLSA build level", key: (of) => of.level },
      { name: "Statements", className: "number", key: (of) => statements(of) },
      { name: "Unknown", className: "number", key: (of) => of.unknown },
      { name: "Workloads", className: "number", key: (of) => of.users.length },
    ],
    cells: (of) => ({
      title: name(of.reference), opens: 0,
      cells: ["", of.digest ? element("code", { title: of.digest }, of.digest.slice(0, 19)) : "not known", of.level || "not asked", String(statements(of)), of.unknown ? element("span", { class: "s unknown" }, String(of.unknown)) : "0", of.users.length.toLocaleString("en")],
    }),
    more: (of) => [
      branch(of.tree),
      of.users.length > 0 ? element("p", {}, "Runs in: ", of.users.slice(0, PAGE).flatMap((at, nth) => [nth > 0 ? ", " : "", jump("workload-" + at, titled(workloads[at]))]), of.users.length > PAGE ? " and " + counted(of.users.length - PAGE, "more workload") : "") : "",
    ],
    anchor: (of) => "image-" + of.at, empty: images.length > 0 ? "No image is like that." : "No image was looked at.",
  });
  const statements = (image) => image.tree.filter((node) => node[3]).length;
  for (const image of images) image.unknown = unknowns(image.tree);

  // Filters.
  const asked = { query: "", status: "", severity: "", cluster: "", namespace: "", owner: "", fresh: false };
  const filter = {
    scoped: () => asked.cluster !== "" || asked.namespace !== "" || asked.owner !== "",
    scope: (of) => (asked.cluster === "" || of.cluster === asked.cluster) && (asked.namespace === "" || of.namespace === asked.namespace) && (asked.owner === "" || (of.owner || "–") === asked.owner),
    member: (member) => filter.scope(workloads[member[0]]) && (!asked.fresh || member[3] === 1),
  };
  const apply = () => {
    const terms = asked.query.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = terms.map((term) => searched.workloads().map((text) => text.includes(term)));
    const narrowed = filter.scoped() || asked.fresh;
    const LETTER = ["F", "U", "A", "E"];
    findings.show(causes.filter((of) => (asked.status === "" || of.status === Number(asked.status)) && (asked.severity === "" || of.control.rank === Number(asked.severity))
      && (!narrowed || of.members.some(filter.member))
      && terms.every((term, nth) => searched.causes()[of.at].includes(term) || of.members.some((member) => hits[nth][member[0]] && (!narrowed || filter.member(member))))), causes.length);
    const watched = columns.filter(({ control }) => asked.severity === "" || control.rank === Number(asked.severity));
    const wanted = asked.status === "" ? (asked.severity === "" ? "" : "FU") : asked.status === "passed" ? "P" : LETTER[Number(asked.status)];
    const isFresh = (of) => of.causes.some((at) => causes[at].members.some((member) => member[0] === of.at && member[3] === 1));
    matrix.show(workloads.filter((of) => filter.scope(of) && hits.every((hit) => hit[of.at])
      && (wanted === "" || watched.some(({ letters }) => wanted.includes(letters[of.at]))) && (!asked.fresh || isFresh(of))), workloads.length);
    evidence.show(images.filter((of) => (!filter.scoped() || of.users.some((at) => filter.scope(workloads[at])))
      && terms.every((term, nth) => searched.images()[of.at].includes(term) || of.users.some((at) => hits[nth][at]))), images.length);
    for (const [row, text] of searched.rows()) row.hidden = !terms.every((term) => text.includes(term));
  };
  const changed = () => {
    apply();
    say(find("findings-count").textContent + " findings, " + find("workloads-count").textContent + " workloads");
  };
  const clear = () => {
    Object.assign(asked, { query: "", status: "", severity: "", cluster: "", namespace: "", owner: "", fresh: false });
    find("search").value = "";
    find("filters").querySelectorAll("select").forEach((select) => { select.value = ""; });
    find("filters").querySelectorAll("input").forEach((box) => { box.checked = false; });
    changed();
  };
  const choice = (label, key, options) => {
    if (options.length < 2) return "";
    const select = element("select", { id: "filter-" + key, onchange: () => { asked[key] = select.value; changed(); } }, element("option", { value: "" }, "all"), options.map(([value, word]) => element("option", { value }, word)));
    return element("label", {}, label, select);
  };
  const values = (key) => [...new Set(workloads.map((of) => of[key] || (key === "owner" ? "–" : "")).filter(Boolean))].sort().map((value) => [value, value]);
  const onlyNew = element("input", { type: "checkbox", id: "filter-new", onchange: () => { asked.fresh = onlyNew.checked; changed(); } });
  find("filters").append(
    choice("Status", "status", [...STATUSES.map(([, word], at) => [String(at), word]), ["passed", "passed (workloads)"]]),
    choice("Severity", "severity", SEVERITIES.map((word, at) => [String(at), word])),
    choice("Cluster", "cluster", values("cluster")), choice("Namespace", "namespace", values("namespace")), choice("Owner", "owner", values("owner")),
    data.baseline ? element("label", { class: "check" }, onlyNew, "only what is new") : "",
    element("button", { type: "button", id: "clear", onclick: clear }, "Clear all"),
  );
  find("search").addEventListener("input", (event) => { asked.query = event.target.value; changed(); });

  // Tables that stand in the page already.
  for (const grid of document.querySelectorAll("table.sortable")) {
    const body = grid.tBodies[0];
    const original = [...body.rows];
    const headers = [...grid.tHead.rows[0].cells];
    headers.forEach((header, at) => {
      const button = element("button", { type: "button" }, header.textContent);
      header.replaceChildren(button);
      header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const way = { none: "ascending", ascending: "descending", descending: "none" }[header.getAttribute("aria-sort")];
        headers.forEach((other) => other.setAttribute("aria-sort", other === header ? way : "none"));
        const key = (row) => {
          // A cell may span several columns.
          let column = 0;
          const cell = [...row.cells].find((one) => { column += one.colSpan; return column > at; });
          const text = cell ? cell.dataset.sort || cell.textContent.trim() : "";
          return text !== "" && Number.isFinite(Number(text)) ? [1, Number(text)] : [0, text];
        };
        const compare = ([kind, one], [other, two]) => kind - other || (one < two ? -1 : one > two ? 1 : 0);
        const rows = original.map((row, nth) => [key(row), nth, row]);
        if (way !== "none") rows.sort(([one, first], [other, second]) => (way === "descending" ? -1 : 1) * compare(one, other) || first - second);
        body.replaceChildren(...rows.map(([, , row]) => row));
      });
    });
  }

  // Links to one row.
  const reveal = () => {
    const hash = location.hash.slice(1);
    const target = hash.startsWith("cause-") ? [findings, causes.find((of) => of.id === hash)]
      : hash.startsWith("workload-") ? [matrix, workloads[Number(hash.slice(9))]]
      : hash.startsWith("image-") ? [evidence, images[Number(hash.slice(6))]] : null;
    if (!target || !target[1]) return;
    if (!target[0].reveal(target[1])) { clear(); target[0].reveal(target[1]); }
  };
  addEventListener("hashchange", reveal);
  // A link to where one is already changes nothing, and still wants to lead there.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal();
  });

  // Keys, themes, paper.
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|select|textarea)$/i.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find("search").focus();
    } else if (event.key === "Escape" && event.target === find("search")) {
      clear();
    }
  });
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("seaworthy-theme", value);
      return localStorage.getItem("seaworthy-theme");
    } catch {
      return null;
    }
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  find("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    remembered(root.dataset.theme);
    say(root.dataset.theme + " theme");
  });
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const shown of [findings, matrix, evidence]) shown.print(shown === findings);
    document.querySelectorAll("details:not([open])").forEach((details) => { closed.push(details); details.open = true; });
  });
  addEventListener("afterprint", () => {
    for (const shown of [findings, matrix, evidence]) shown.print(false);
    closed.splice(0).forEach((details) => { details.open = false; });
  });
  // Which section one reads.
  const links = [...document.querySelectorAll(".bar nav a")];
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => (link.hash === "#" + entry.target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }
  }, { rootMargin: "-120px 0px -70% 0px" });

  document.querySelectorAll(".scripted, .tools, #filters, #findings-live").forEach((part) => { part.hidden = false; });
  find("findings-plain").remove();
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));
  apply();
  reveal();
  document.documentElement.dataset.ready = "true";
}, 0);
