import { constants } from "node:os";

/** Linux signals by name (without SIG) and number, real-time ones included: RTMIN+n and RTMAX-n. */
const realtimeMin = 34;
const realtimeMax = 64;

const numbers = new Map<string, number>(
  Object.entries(constants.signals).map(([name, number]) => [name.replace(/^SIG/, ""), number]),
);
numbers.set("CLD", 17);
/** each is named from its nearer end, as in Docker's table: RTMIN+15 is followed by RTMAX-14 */
const fromMin = 15;
for (let number = realtimeMin; number <= realtimeMax; number++)
  numbers.set(signalName(number).slice("SIG".length), number);

/** The number of `9`, `KILL`, `SIGKILL` or `sigkill`; undefined for anything that is no signal (0 too). */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number > 0 && number <= realtimeMax ? number : undefined;
  }
  return numbers.get(text.toUpperCase().replace(/^SIG/, ""));
}

export const signals = { kill: 9, terminate: 15, continue: 18 } as const;

/** `SIGKILL` for 9; a real-time one by its distance to the nearest end. */
export function signalName(number: number): string {
  if (number > realtimeMin && number < realtimeMax)
    return number - realtimeMin <= fromMin
      ? `SIGRTMIN+${number - realtimeMin}`
      : `SIGRTMAX-${realtimeMax - number}`;
  const named = Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
  return (
    named ?? (number === realtimeMin ? "SIGRTMIN" : number === realtimeMax ? "SIGRTMAX" : `signal ${number}`)
  );
}
