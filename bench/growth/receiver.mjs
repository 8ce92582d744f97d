// Who receives on many connections: `node receiver.mjs <pike|net>`. It tells its port; each line that it
// reads is a number of messages, answered when they are there.
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';
import { Sum } from './load.mjs';

const { listen } = await import(`./${process.argv[2]}.mjs`);
const sum = new Sum();
tell(await listen(sum));
await answerAll(async (count) => {
  await sum.reaches(count);
  return { received: sum.received, sum: sum.sum, cpu: cpuMs() };
});
