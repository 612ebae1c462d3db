/** Makes the attack of a title, once small, for what is loaded, and once whole; prints how it ended and what memory it took. */
import { FULL_SIZE } from './attack.ts';
import { ATTACKS } from './attacks.ts';

const attack = ATTACKS.find(({ title }) => title === process.argv[2])!;
await attack.run(1);
const before = process.resourceUsage().maxRSS;
const ending = await attack.run(FULL_SIZE);
const growth = (process.resourceUsage().maxRSS - before) * 1_024;
console.log(JSON.stringify({ ending, growth }));
process.exit();
