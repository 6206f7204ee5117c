import { load } from 'i2sb';

const say = (text) => { document.querySelector('pre').textContent += `${text}\n`; };
const model = await load('/packs/default.i2sb');
const picture = await (await fetch('/example.jpg')).blob();
const blob = await model.restore(picture, { task: 'jpeg', output: 'blob' });
say(`done ${blob.type} ${blob.size}`);
