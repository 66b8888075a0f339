// On the pages around the recorder: deletes recordings that were kept in this browser for more than 24 hours.
import { kept } from "./keep.js";

kept("");
