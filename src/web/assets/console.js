// What every page shares: words, time, the stream of changes, actions with their confirmation.

export const root = document.documentElement;
root.classList.add('js');
const language = root.lang.startsWith('zh') ? 'zh' : 'en';
export const words = (await import(`/assets/words.${language}.js`)).default;
export const mayAct = document.body.dataset.role === 'operator';

export const fill = (text, ...values) => values.reduce((filled, value) => filled.replace('{}', () => value), text);

/** Makes an element: text is text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, '');
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function duration(secs) {
  secs = Math.max(0, Math.floor(secs));
  const days = Math.floor(secs / 86400), hours = Math.floor(secs % 86400 / 3600), minutes = Math.floor(secs % 3600 / 60);
  if (days) return `${days} ${words.day} ${hours} ${words.hour}`;
  if (hours) return `${hours} ${words.hour} ${minutes} ${words.minute}`;
  if (minutes) return `${minutes} ${words.minute}`;
  return `${secs} ${words.second}`;
}

export const percent = (permille) => permille >= 1000 ? `${Math.floor(permille / 10)} %` : `${Math.floor(permille / 10)}.${permille % 10} %`;

export function size(kib) {
  if (kib < 1024) return `${kib} KiB`;
  if (kib < 10240) return `${Math.floor(kib / 1024)}.${Math.floor(kib % 1024 * 10 / 1024)} MiB`;
  if (kib < 1048576) return `${Math.floor(kib / 1024)} MiB`;
  return `${Math.floor(kib / 1048576)}.${Math.floor(kib % 1048576 * 10 / 1048576)} GiB`;
}

const pad = (number) => String(number).padStart(2, '0');

export function clock(secs) {
  const at = new Date(secs * 1000);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

export const timeOfDay = (at = new Date()) => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

export function stateName(state) {
  return words[state.toLowerCase()] ?? state;
}

export function exitWords(exit) {
  if (!exit) return '';
  if ('code' in exit) return fill(words.exit_status, exit.code);
  if ('signal' in exit) return fill(words.killed_by, exit.signal) + (exit.core_dumped ? `, ${words.core_dumped}` : '');
  return 'raw' in exit ? String(exit.raw) : words.exit_missed;
}

/** Says something to those who do not see the page. */
export function say(text) {
  document.getElementById('live').textContent = text;
}

/** Asks the API; who is not signed in any more is shown where to. */
export async function ask(path, options = {}) {
  const headers = { 'X-Console': '1', ...options.headers };
  const response = await fetch(path, { ...options, headers, credentials: 'same-origin' });
  if (response.status === 401) return signIn();
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.text ?? response.statusText);
  return body;
}

let isLeaving = false;
addEventListener('submit', (event) => { isLeaving ||= event.target.getAttribute('action') === '/logout'; });

function signIn() {
  if (isLeaving) return new Promise(() => {});
  location.assign(`/login?why=idle&next=${encodeURIComponent(location.pathname + location.search)}`);
  return new Promise(() => {});
}

const link = document.getElementById('link');

function showLink(isLive) {
  link.hidden = false;
  link.classList.toggle('lost', !isLive);
  link.textContent = isLive ? words.live : words.reconnecting;
}

const RETRY_MILLIS_MAX = 15000;

/**
 * Follows a stream of events for as long as the page is looked at: a hidden page holds no connection. `address` is asked before each
 * connection, so that it can say how far the page has come.
 */
export function follow(address, listeners) {
  let source = null, retryMillis = 500, timer = 0;
  const open = () => {
    clearTimeout(timer);
    if (source || document.hidden) return;
    source = new EventSource(address());
    source.onopen = () => { retryMillis = 500; showLink(true); };
    source.onerror = () => { close(); showLink(false); retry(); };
    for (const [kind, listener] of Object.entries(listeners)) {
      source.addEventListener(kind, (event) => listener(JSON.parse(event.data), event.lastEventId));
    }
  };
  const close = () => { source?.close(); source = null; };
  const retry = async () => {
    timer = setTimeout(open, retryMillis);
    retryMillis = Math.min(retryMillis * 2, RETRY_MILLIS_MAX);
    // Signed out or the daemon away: only an answer tells.
    try { await ask('/api/v1/events?since=9007199254740991'); } catch { /* away: the timer tries again */ }
  };
  document.addEventListener('visibilitychange', () => document.hidden ? close() : open());
  addEventListener('pagehide', close);
  open();
  return { close: () => { clearTimeout(timer); close(); }, open };
}

/**
 * Loads everything, then takes what changes. `load` returns the place in the journal that it shows; who was away too long loads anew,
 * and of another daemon the page is asked for anew, because the token in it is worth nothing there.
 */
export async function followChanges(load, change) {
  let cursor = await load();
  const stream = follow(() => `/api/v1/stream?since=${cursor}`, {
    reset: async (_, id) => {
      if (cursor.split('-')[0] !== id.split('-')[0]) return location.reload();
      cursor = await load();
      stream.close();
      stream.open();
    },
    change: (news, id) => { cursor = id; change(news); },
  });
}

const HURTS = new Set(['stop', 'restart', 'signal', 'clear', 'update']);
const LISTED_MAX = 12;

/** Asks back, if the action hurts somebody. */
function confirmed(verb, label, targets, names) {
  const isMany = targets.some((target) => target === '*' || target.endsWith(':*'));
  if (!HURTS.has(verb) && !isMany) return Promise.resolve(true);
  const concerns = names.length > LISTED_MAX ? fill(words.confirm_many, names.length) : fill(words.confirm_text, names.join(', '));
  const go = element('button', { class: 'primary', value: 'yes' }, fill(words.go_on, label.toLowerCase()));
  const dialog = element('dialog', { 'aria-labelledby': 'asked' },
    element('form', { method: 'dialog' },
      element('h2', { id: 'asked' }, fill(words.confirm_title, label)),
      element('p', {}, concerns),
      element('div', { class: 'bar' }, element('button', { value: 'no' }, words.cancel), go)));
  document.body.append(dialog);
  dialog.showModal();
  go.focus();
  return new Promise((done) => dialog.addEventListener('close', () => {
    dialog.remove();
    done(dialog.returnValue === 'yes');
  }));
}

export function showResults(results) {
  const box = document.getElementById('results');
  const close = element('button', { class: 'plain close', type: 'button' }, words.close);
  close.onclick = () => { box.hidden = true; };
  const lines = results.map(({ name, ok, text }) => element('li', { class: ok ? 'good' : 'bad' },
    element('b', {}, name), ` ${ok ? words.done_ok : `${words.failed}: ${text}`}`));
  box.replaceChildren(close, element('ul', {}, ...lines));
  box.hidden = false;
  const failed = results.filter((result) => !result.ok).length;
  say(failed ? `${words.failed}: ${failed}` : words.done_ok);
}

/** What a target means to the reader, by the rows that are there. */
function namesOf(targets, rows) {
  const all = [...rows].map((row) => row.dataset);
  return targets.flatMap((target) => {
    if (target === '*') return all.map((row) => row.n);
    if (target.endsWith(':*')) return all.filter((row) => row.g === target.slice(0, -2)).map((row) => row.n);
    return [target];
  });
}

/** Takes over the buttons of a form: asks back, acts, and shows what came of it without leaving the page. */
export function takeOver(form, targetsOf, afterwards = () => {}) {
  form?.addEventListener('submit', async (event) => {
    const button = event.submitter;
    if (!button?.name) return;
    event.preventDefault();
    const [verb, ...rest] = button.value.split(':');
    const targets = rest.length ? [rest.join(':')] : targetsOf();
    if (!targets.length) return;
    const names = namesOf(targets, document.querySelectorAll('tr[data-n]'));
    const label = verb === 'signal' ? `${words.signal} ${form.elements.signal.value}` : words[verb === 'clear' ? 'clear_logs' : verb === 'update' ? 'update_all' : verb];
    if (!await confirmed(verb, label, targets, names)) return;
    button.disabled = true;
    try {
      const body = JSON.stringify({ action: verb, targets, signal: form.elements.signal?.value });
      const headers = { 'Content-Type': 'application/json', 'X-Console-Token': document.body.dataset.token };
      showResults((await ask('/api/v1/actions', { method: 'POST', headers, body })).results);
    } catch (error) {
      showResults([{ name: label, ok: false, text: error.message }]);
    }
    button.disabled = false;
    afterwards();
  });
}

/** Times as the reader's own clock has them. */
for (const time of document.querySelectorAll('time[data-t]')) time.textContent = clock(Number(time.dataset.t));
