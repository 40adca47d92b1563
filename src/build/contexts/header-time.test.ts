import { expect, test } from "bun:test";
import { headerTime } from "./header-time.ts";

test("a header's time is the same in every time zone, and anything else is no time", () => {
  const before = process.env["TZ"];
  try {
    for (const zone of ["UTC", "Pacific/Chatham"]) {
      process.env["TZ"] = zone;
      for (const text of [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
      ])
        expect([text, headerTime(text)?.getTime()]).toEqual([text, 784_111_777_000]);
      for (const text of ["", "yesterday", "1994-11-06 08:49:37", "Sun, 06 Nov 1994 08:49:37"])
        expect([text, headerTime(text)]).toEqual([text, undefined]);
    }
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});
