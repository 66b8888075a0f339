// Lists the files of a drop or a chooser with their paths, also those in folders: [{file, path}].

const READ_ERROR = "A folder could not be read. Choose its files instead.";
const isHidden = (name) => name.startsWith(".") || /^(thumbs\.db|desktop\.ini)$/i.test(name);

// The entries exist only during the event, so they are taken before anything is awaited. Only folders need one: WebKit
// cannot read the entry of a file that is on no disk, such as a picture from another page.
export async function listDroppedFiles(transfer) {
  const found = [...transfer.items].filter((item) => item.kind === "file")
    .map(takeItem);
  const lists = await Promise.all(found.filter(Boolean).map(listEntry));
  return lists.flat();
}

function takeItem(item) {
  const entry = item.webkitGetAsEntry?.();
  return entry?.isDirectory ? entry : item.getAsFile() ?? entry;
}

export function listChosenFiles(input) {
  const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return files.filter(({ path }) => !path.split("/").some(isHidden) || !path.includes("/"));
}

async function listEntry(entry) {
  if (entry instanceof File) return [{ file: entry, path: entry.name }];
  if (entry.isFile) return [{ file: await readFile(entry), path: entry.fullPath.replace(/^\//, "") }];
  const entries = await readFolder(entry);
  const lists = [];
  // One after another: a folder may have thousands of files.
  for (const child of entries) if (!isHidden(child.name)) lists.push(await listEntry(child));
  return lists.flat();
}

const readFile = (entry) => new Promise((resolve, reject) => {
  entry.file(resolve, () => reject(new Error(READ_ERROR)));
});

// A browser gives at most 100 entries at a time.
async function readFolder(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => {
      reader.readEntries(resolve, () => reject(new Error(READ_ERROR)));
    });
    if (!some.length) return entries;
    entries.push(...some);
  }
}
