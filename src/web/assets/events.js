// The feed, live: new entries come on top.

import { ask, clock, element, exitWords, fill, followChanges, stateName, words } from './console.js';

const FEED_MAX = 500;
const feed = document.getElementById('feed');
let seq = Number(document.querySelector('table[data-seq]').dataset.seq);

function what(entry) {
  switch (entry.kind) {
    case 'program':
      return [element('span', { class: 'dot' }), element('a', { href: `/program?name=${encodeURIComponent(entry.name)}` }, entry.name),
        ` ${stateName(entry.from)} → `, element('b', {}, stateName(entry.to)), entry.exit ? ` · ${exitWords(entry.exit)}` : ''];
    case 'group_added': return [fill(words.group_added, entry.name)];
    case 'group_removed': return [fill(words.group_removed, entry.name)];
    case 'daemon_started': return [words.daemon_started];
    case 'daemon_stopping': return [words.daemon_stopping];
    default: return [element('span', { class: entry.done ? 'fine' : 'bad' }, entry.what)];
  }
}

function add(entries) {
  for (const entry of entries) {
    if (entry.seq <= seq) continue;
    seq = entry.seq;
    feed.prepend(element('tr', { class: 'fresh', ...entry.kind === 'program' ? { 'data-s': entry.to } : {} },
      element('td', {}, clock(entry.when)), element('td', {}, ...what(entry)), element('td', {}, entry.who ?? '')));
  }
  while (feed.rows.length > FEED_MAX) feed.lastElementChild.remove();
  if (feed.rows.length) document.getElementById('empty')?.remove();
}

await followChanges(async () => {
  const { cursor } = await ask('/api/v1/programs');
  const news = await ask(`/api/v1/events?since=${seq}`);
  add(news.events.reverse());
  return cursor;
}, (news) => add(news.events));
