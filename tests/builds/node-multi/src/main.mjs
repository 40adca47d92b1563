import { pad } from "pad";

console.log(pad(__BUILT__, "***"));
