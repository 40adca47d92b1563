import { expect, test } from "bun:test";
import { LocalAnswer } from "./local-answer.ts";

test("an output that nobody reads any more is not made further", async () => {
  const answer = new LocalAnswer();
  let made = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      made++;
      yield new Uint8Array(16);
    }
  }
  const written = answer.sink(0).write(endless());
  const body = answer.body();
  await body.next();
  await body.return(undefined);
  await expect(written).rejects.toThrow("nobody reads");
  expect(made).toBeLessThan(20_000);
});
