const withZone = /^[A-Z][a-z]+, .* GMT$/;
/** asctime(3)'s form, which tells no zone */
const withoutZone = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/** The time in a header, in one of the three forms of RFC 9110 §5.6.7: GMT always, wherever this machine is. */
export function headerTime(text: string): Date | undefined {
  const told = withoutZone.test(text) ? `${text} GMT` : withZone.test(text) ? text : "";
  const ms = Date.parse(told);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
