/**
 * Text from outside (commit subjects, logs, errors) without anything that could steer a terminal: escape sequences
 * are taken out, other control characters become a blank; a tab stays.
 */
export function printable(text: string): string {
  return (
    text
      // ECMA-48: CSI sequences, then OSC/DCS/PM/APC strings up to their end, then any other two-character escape.
      // oxlint-disable-next-line no-control-regex
      .replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b./g, '')
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
  );
}
