/** Names for containers that were given none: an adjective and a person of science or seafaring. Words are our own. */
const adjectives = (
  "able agile amber ample apt balmy bold brave breezy bright brisk calm candid cheery civil clear clever cosy crisp " +
  "daring deft dapper eager early earnest easy fair fleet fond frank fresh gentle glad golden grand hardy hearty " +
  "honest humble jolly jovial keen kind lively loyal lucid lucky mellow merry mild modest neat nifty nimble noble " +
  "patient placid plucky polite proud quick quiet ready regal robust rosy sage sedate serene sharp shrewd silent " +
  "simple sleek snug sober solid spry stable steady stoic sturdy subtle sunny supple swift tame tender thrifty tidy " +
  "tranquil trusty upbeat valiant vivid warm watchful wise witty zesty"
).split(" ");
const people = (
  "abel agnesi albattani amundsen anning archimedes babbage baret bellamy bernoulli bohr boole bowditch brahe cannon " +
  "cavendish celsius chandra clarke cochrane cook copernicus curie dalton darwin davis descartes dirac drebbel dunant " +
  "earhart eratosthenes erdos euclid euler faraday fermat fermi feynman fibonacci flinders franklin galileo galois " +
  "gauss germain godel goodall hadley halley hamilton harrison hawking henson herschel hertz hilbert hodgkin hopper " +
  "hubble huygens hypatia ibnmajid jemison johnson kepler kovalevskaya laplace lavoisier leavitt leeuwenhoek leibniz " +
  "lovelace magellan markham maxwell meitner mendel mercator mirzakhani nansen napier newton nobel noether pascal " +
  "pasteur pauli peary planck plimsoll ptolemy pythagoras ramanujan ride rubin sagan shackleton shannon slocum snow " +
  "somerville tereshkova tesla tharp turing vespucci volta wallis wu yonath zhenghe"
).split(" ");

const pick = (words: readonly string[], random: () => number): string =>
  words[Math.floor(random() * words.length)] ?? "";

/** `adjective_surname`; from the fifth try on a digit is added, so that a free one is soon found. */
export function randomName(attempt: number, random: () => number = Math.random): string {
  const name = `${pick(adjectives, random)}_${pick(people, random)}`;
  return attempt < 4 ? name : `${name}${Math.floor(random() * 10 ** Math.min(attempt - 3, 6))}`;
}

/** Docker's rule for container and volume names. */
export const isObjectName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name);
