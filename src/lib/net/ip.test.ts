import { expect, test } from "bun:test";
import { isIP as reference } from "node:net";
import { isIP } from "./ip.ts";

const texts = `0.0.0.0 127.0.0.1 255.255.255.255 256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.x 1..2.3
  :: ::1 1:: 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1::2:3:4:5:6:7 1::2:3:4:5:6:7:8 ::ffff:1.2.3.4
  1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4 ::1.2.3 1.2.3.4:: fe80::1%eth0 fe80::1% fe80::1%a%b 1:::2 ::1::2 12345::
  g:: : ::: 2001:db8::7 [::1] localhost 1`.split(/\s+/);

test("every text is what node:net takes it for", () => {
  for (const text of [...texts, "", " 1.2.3.4", "1.2.3.4 "])
    expect(`${text} ${isIP(text)}`).toBe(`${text} ${reference(text)}`);
});
