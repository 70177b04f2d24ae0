/** What the app uses of lean-qr. */
export interface Code {
  readonly size: number;
  get(x: number, y: number): boolean;
}
export const correction: { readonly M: number };
export function generate(text: string, options?: { minCorrectionLevel?: number }): Code;
