/** A name as a part of a path; an empty one is refused in docker's words before anything is sent. */
export function named(kind: string, name: string): string {
  if (name.trim() === "") throw new Error(`invalid ${kind} name or ID: value is empty`);
  return encodeURIComponent(name);
}
