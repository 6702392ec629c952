// The page of one program: state, usage and history, live.

import { ask, clock, duration, element, exitWords, followChanges, percent, size, stateName, takeOver, words } from './console.js';

const head = document.querySelector('.head[data-n]');
const name = head.dataset.n;
const POINTS_MAX = 240, HEIGHT = 48;
let program = null, skewSecs = 0;

function draw(id, points, leastMax, value) {
  const highest = Math.max(1, leastMax, ...points.map(value));
  const skipped = POINTS_MAX - points.length;
  const line = points.map((point, index) => `L${skipped + index} ${HEIGHT - Math.floor(value(point) * (HEIGHT - 2) / highest)}`);
  const path = points.length ? `M${skipped} ${HEIGHT}${line.join('')}L${POINTS_MAX - 1} ${HEIGHT}Z` : '';
  document.querySelector(`#${id} path`).setAttribute('d', path);
}

function put(selector, text) {
  const node = head.querySelector(selector);
  if (node && node.textContent !== text) node.textContent = text;
}

function showUptime() {
  if (!program) return;
  const isUp = ['RUNNING', 'STARTING', 'STOPPING'].includes(program.state);
  put('.uptime', isUp ? duration(Date.now() / 1000 - skewSecs - program.start) : '–');
}

function showUsage(usage) {
  put('.cpu', usage ? percent(usage[0]) : '–');
  put('.memory', usage ? size(usage[1]) : '–');
  document.getElementById('cpu-now').textContent = usage ? percent(usage[0]) : '';
  document.getElementById('memory-now').textContent = usage ? size(usage[1]) : '';
}

function show(view) {
  program = view.program;
  skewSecs = Date.now() / 1000 - view.now;
  head.dataset.s = program.state;
  put('.state b', stateName(program.state));
  put('dd.pid', program.pid ? String(program.pid) : '–');
  put('dd.restarts', String(Math.max(0, program.starts - 1)));
  const exit = program.last_exit;
  put('dd.exit', exit ? `${exitWords(exit)} · ${exit.expected ? words.expected : words.unexpected} · ${clock(exit.when)}` : '–');
  showUptime();
  showUsage(program.usage);
  const cpu = view.points.map(([cpuPermille]) => cpuPermille), memory = view.points.map(([, rssKib]) => rssKib);
  draw('cpu-chart', cpu, 100, (value) => value);
  draw('memory-chart', memory, 1024, (value) => value);
  const history = document.getElementById('history');
  history?.replaceChildren(...view.history.map((change) => element('tr', { 'data-s': change.to },
    element('td', {}, clock(change.when)),
    element('td', { class: 'state' }, element('span', { class: 'dot' }), `${stateName(change.from)} → ${stateName(change.to)}`),
    element('td', {}, change.pid ? String(change.pid) : ''),
    element('td', {}, exitWords(change.exit)))));
}

let isLoading = false, isAsked = false;
async function load() {
  if (isLoading) { isAsked = true; return; }
  isLoading = true;
  do {
    isAsked = false;
    try { show(await ask(`/api/v1/programs/${encodeURIComponent(name)}`)); } catch { /* gone, or away: the stream tells */ }
  } while (isAsked);
  isLoading = false;
}

takeOver(document.getElementById('programs'), () => [name]);
await followChanges(async () => {
  const { cursor } = await ask('/api/v1/programs');
  await load();
  return cursor;
}, (news) => {
  if (news.programs.some((one) => one.name === name) || name in news.usage) load();
});
setInterval(showUptime, 1000);
