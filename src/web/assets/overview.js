// The table of programs, live: changes come as events, and only the rows that they are about are touched.

import { clock, duration, element, exitWords, fill, followChanges, ask, mayAct, percent, size, stateName, takeOver, words } from './console.js';

const table = document.querySelector('table.programs');
const body = table.tBodies[0];
const filter = document.getElementById('filter');
const form = document.getElementById('programs');
const rows = new Map();
for (const row of body.querySelectorAll('tr[data-n]')) rows.set(row.dataset.n, row);
const groupRows = [...body.querySelectorAll('tr.group')];
let skewSecs = Date.now() / 1000 - Number(table.dataset.now);
let sort = { key: 'name', sign: 1 };
const DOWN = new Set(['STOPPED', 'EXITED', 'FATAL', 'BACKOFF']);

// --- one row ---

function cell(row, name) {
  return row.querySelector(`.${name}`);
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function uptimeOf(row, now) {
  const { s: state, start, stop } = row.dataset;
  if (!DOWN.has(state)) return duration(now - Number(start));
  return Number(stop) > 0 ? fill(words.ago, duration(now - Number(stop))) : words.never;
}

function showUsage(row, usage) {
  row.cpuPermille = usage ? usage[0] : -1;
  row.rssKib = usage ? usage[1] : -1;
  put(cell(row, 'cpu'), usage ? percent(usage[0]) : '');
  put(cell(row, 'memory'), usage ? size(usage[1]) : '');
}

function offered(state) {
  if (['RUNNING', 'STARTING', 'BACKOFF'].includes(state)) return ['restart', 'stop'];
  return ['STOPPED', 'EXITED', 'FATAL'].includes(state) ? ['start'] : [];
}

function showButtons(row, name, state) {
  const logs = element('a', { class: 'button', href: `/log?name=${encodeURIComponent(name)}`, 'aria-label': `${words.logs} ${name}` }, words.logs);
  const buttons = mayAct ? offered(state).map((verb) =>
    element('button', { name: 'do', value: `${verb}:${name}`, 'aria-label': `${words[verb]} ${name}` }, words[verb])) : [];
  const act = cell(row, 'act');
  const hadFocus = act.contains(document.activeElement);
  act.replaceChildren(logs, ...buttons);
  if (hadFocus) (buttons[0] ?? logs).focus();
}

function makeRow(program) {
  const td = (name) => element('td', { class: name });
  const row = element('tr', { 'data-n': program.name, 'data-g': program.group });
  if (mayAct) {
    const box = element('input', { type: 'checkbox', name: 'p', value: program.name, 'aria-label': fill(words.select_one, program.name) });
    row.append(element('td', { class: 'pick' }, box));
  }
  const link = element('a', { href: `/program?name=${encodeURIComponent(program.name)}` }, program.process);
  row.append(element('td', { class: 'state' }, element('span', { class: 'dot' }), ''), element('th', { scope: 'row', class: 'name' }, link),
    ...['pid', 'uptime', 'cpu', 'memory', 'restarts', 'exit', 'act'].map(td));
  return row;
}

function show(program, isFresh) {
  let row = rows.get(program.name);
  if (!row) {
    row = makeRow(program);
    rows.set(program.name, row);
    body.append(row);
  }
  const isNew = row.dataset.s !== program.state;
  Object.assign(row.dataset, { s: program.state, start: program.start, stop: program.stop });
  cell(row, 'state').lastChild.textContent = stateName(program.state);
  put(cell(row, 'pid'), program.pid ? String(program.pid) : '');
  put(cell(row, 'restarts'), program.starts > 1 ? String(program.starts - 1) : '');
  const exit = program.last_exit;
  cell(row, 'exit').replaceChildren(...exit ? [element('span', { class: exit.expected ? 'fine' : 'bad', title: clock(exit.when) }, exitWords(exit))] : []);
  row.querySelector('.trouble')?.remove();
  if (program.trouble) cell(row, 'name').append(element('small', { class: 'trouble' }, program.trouble));
  showUsage(row, program.usage);
  if (isNew) {
    showButtons(row, program.name, program.state);
    if (isFresh) {
      row.classList.remove('fresh');
      requestAnimationFrame(() => row.classList.add('fresh'));
    }
  }
}

// --- all rows ---

const KEYS = {
  state: (row) => ['FATAL', 'BACKOFF', 'EXITED', 'STOPPED', 'STOPPING', 'STARTING', 'RUNNING', 'UNKNOWN'].indexOf(row.dataset.s),
  name: (row) => row.dataset.n,
  pid: (row) => Number(cell(row, 'pid').textContent),
  uptime: (row) => DOWN.has(row.dataset.s) ? -1 : Date.now() / 1000 - Number(row.dataset.start),
  cpu: (row) => row.cpuPermille ?? -1,
  memory: (row) => row.rssKib ?? -1,
  restarts: (row) => Number(cell(row, 'restarts').textContent),
  exit: (row) => cell(row, 'exit').textContent,
};

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function arrange() {
  const key = KEYS[sort.key];
  const inOrder = [...rows.values()].map((row) => [key(row), row]);
  if (sort.key === 'name') {
    inOrder.sort(([, a], [, b]) => sort.sign * (compare(a.dataset.g, b.dataset.g) || compare(a.dataset.n, b.dataset.n)));
  } else {
    inOrder.sort(([a, rowA], [b, rowB]) => sort.sign * compare(a, b) || compare(rowA.dataset.n, rowB.dataset.n));
  }
  const wanted = [];
  let group = null, heading = null;
  for (const [, row] of inOrder) {
    if (row.dataset.g !== group) {
      group = row.dataset.g;
      heading = sort.key === 'name' && groupRows.find((one) => one.dataset.g === group);
      if (heading) wanted.push(heading);
    }
    row.classList.toggle('member', Boolean(heading));
    wanted.push(row);
  }
  // Moving what has the focus would lose it, so nothing is moved without need.
  const there = [...body.children].filter((row) => sort.key === 'name' || !row.classList.contains('group'));
  if (there.length !== wanted.length || there.some((row, index) => row !== wanted[index])) body.append(...wanted);
  choose();
}

/** Shows the rows that the filter lets through, and counts. */
function choose() {
  const text = filter.elements.q.value.toLowerCase(), { value: state } = filter.elements.state, { value: group } = filter.elements.group;
  const counts = {}, groups = new Set();
  let shown = 0;
  for (const row of rows.values()) {
    counts[row.dataset.s] = (counts[row.dataset.s] ?? 0) + 1;
    const isShown = row.dataset.n.toLowerCase().includes(text) && (!state || row.dataset.s === state) && (!group || row.dataset.g === group);
    if (row.hidden === isShown) row.hidden = !isShown;
    if (isShown) {
      shown += 1;
      groups.add(row.dataset.g);
    }
  }
  for (const row of groupRows) row.hidden = sort.key !== 'name' || !groups.has(row.dataset.g);
  for (const chip of document.querySelectorAll('.chip')) {
    const count = counts[chip.dataset.s] ?? 0;
    put(chip.firstElementChild, String(count));
    chip.hidden = !count && chip.dataset.s !== state;
    if (chip.dataset.s === state) chip.setAttribute('aria-current', 'true');
    else chip.removeAttribute('aria-current');
  }
  put(document.getElementById('shown'), shown === rows.size ? '' : fill(words.shown_of, shown, rows.size));
  const empty = document.getElementById('empty');
  empty.hidden = shown > 0;
  empty.textContent = rows.size ? words.no_match : words.no_programs;
  countSelected();
}

function forget(name) {
  rows.get(name)?.remove();
  rows.delete(name);
}

// --- selection ---

const boxOf = (row) => row.querySelector('input[name=p]');
const selected = () => [...rows.values()].filter((row) => !row.hidden && boxOf(row)?.checked).map((row) => row.dataset.n);

function countSelected() {
  if (!mayAct) return;
  const count = selected().length;
  put(document.getElementById('selected'), fill(words.selected, count));
  for (const button of form.querySelectorAll('.tools button')) if (!button.value.includes(':')) button.disabled = !count;
}

// --- wiring ---

const FILTERS = ['q', 'state', 'group'];
// What was chosen stays over a reload; what an address says goes first.
if (!location.search) {
  JSON.parse(sessionStorage.getItem('filter') ?? '[]').forEach((value, index) => { filter.elements[FILTERS[index]].value = value; });
}

filter.addEventListener('submit', (event) => event.preventDefault());
filter.addEventListener('input', () => {
  sessionStorage.setItem('filter', JSON.stringify(FILTERS.map((name) => filter.elements[name].value)));
  choose();
});
for (const chip of document.querySelectorAll('.chip')) {
  chip.addEventListener('click', (event) => {
    event.preventDefault();
    const { state } = filter.elements;
    state.value = state.value === chip.dataset.s ? '' : chip.dataset.s;
    filter.dispatchEvent(new Event('input'));
  });
}
for (const heading of table.querySelectorAll('th[data-sort]')) {
  const button = element('button', { type: 'button' }, heading.textContent);
  heading.replaceChildren(button);
  button.addEventListener('click', () => {
    const key = heading.dataset.sort;
    const isSame = sort.key === key;
    sort = { key, sign: isSame ? -sort.sign : ['cpu', 'memory', 'restarts', 'uptime'].includes(key) ? -1 : 1 };
    for (const other of table.querySelectorAll('th[aria-sort]')) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', sort.sign > 0 ? 'ascending' : 'descending');
    arrange();
  });
}
document.getElementById('all')?.addEventListener('change', (event) => {
  for (const row of rows.values()) if (!row.hidden) boxOf(row).checked = event.target.checked;
  countSelected();
});
form.addEventListener('change', countSelected);
takeOver(form, selected, countSelected);
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  event.preventDefault();
  filter.elements.q.focus();
});

async function load() {
  const view = await ask('/api/v1/programs');
  skewSecs = Date.now() / 1000 - view.now;
  const there = new Set(view.programs.map((program) => program.name));
  for (const name of [...rows.keys()]) if (!there.has(name)) forget(name);
  for (const program of view.programs) show(program, false);
  arrange();
  return view.cursor;
}

await followChanges(load, (news) => {
  skewSecs = Date.now() / 1000 - news.now;
  for (const name of news.gone) forget(name);
  for (const program of news.programs) show(program, true);
  for (const [name, usage] of Object.entries(news.usage)) if (rows.has(name)) showUsage(rows.get(name), usage);
  const isLive = sort.key === 'cpu' || sort.key === 'memory';
  if (news.programs.length || news.gone.length || isLive) arrange();
});
setInterval(() => {
  const now = Date.now() / 1000 - skewSecs;
  for (const row of rows.values()) if (!row.hidden) put(cell(row, 'uptime'), uptimeOf(row, now));
}, 1000);
