// Positions and lengths of a sound, in words. All are in seconds.

// 12.09 → "0:12.09", 3725.5 → "1:02:05.50"
export function formatPosition(seconds, digits = 2) {
  const whole = Math.round(seconds * 10 ** digits) / 10 ** digits;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = (whole % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

// 14 → "14 s", 134 → "2 min 14 s", 3725 → "1 h 2 min"
export function formatLength(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [large, small, names] = whole < 3600 ? [Math.floor(whole / 60), whole % 60, ["min", "s"]] : splitHours(whole);
  return small ? `${large} ${names[0]} ${small} ${names[1]}` : `${large} ${names[0]}`;
}

function splitHours(seconds) {
  const minutes = Math.round(seconds / 60);
  return [Math.floor(minutes / 60), minutes % 60, ["h", "min"]];
}
