/** The name the program goes by in everything it says of itself. */
export const programName = "berth";
export const clientVersion = "0.1.0";
