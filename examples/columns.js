// SPDX-License-Identifier: Apache-2.0
// Opens and makes cells of pythemis.columns and pythemis.fields, in Node 20 or newer:
//
//     npm install wasm-themis
//     node columns.js KEYS TABLE COLUMN
//
// KEYS is a JSON file: the base64 of each key of the ring, by its id. Each line of the standard
// input is a row id and a cell in base64. tests/interop/test_columns_live.py runs it.

'use strict';

// wasm-themis 0.15 takes Node 18 and newer for a browser because they have a fetch.
delete globalThis.fetch;

const fs = require('fs');
const { SecureCellSeal, initialized } = require('wasm-themis');

const TOKEN = '000101400c00000010000000'; // what every cell begins with, in hex

// docs/guide/places.md has this function.
function place(...parts) {
    const texts = parts.map((part) => new TextEncoder().encode(part));
    const fits = texts.length > 0 && texts.length < 256 && texts.every((text) => text.length < 65536);
    if (!fits || !parts.every((part) => part.isWellFormed())) throw new RangeError('not the parts of a place');
    return Uint8Array.from([texts.length, ...texts.flatMap((text) => [text.length >> 8, text.length & 255, ...text])]);
}

function unframed(framed) {
    if (framed[0] === 0) return framed.subarray(1);
    const end = framed.findLastIndex((byte) => byte !== 0);
    if (framed[0] !== 1 || end < 1 || framed[end] !== 0x80) throw new Error('the frame is corrupted or newer');
    return framed.subarray(1, end);
}

// keys: the key of each id; names and row: such as 'customers', 'email', '42'.
exports.open = (keys, stored, ...names) => {
    const bytes = Buffer.from(stored), id = bytes.toString('hex', 3, 8), cell = bytes.subarray(8);
    if (bytes.toString('latin1', 0, 3) !== 'TK1' || !Object.hasOwn(keys, id)) throw new Error(`no key ${id}`);
    const isCell = cell.length > 44 && cell.toString('hex', 0, 12) === TOKEN && cell.readUInt32LE(12) + 44 === cell.length;
    if (!isCell) throw new Error('no cell');
    return unframed(SecureCellSeal.withKey(keys[id]).decrypt(cell, place(...names)));
};

exports.seal = (keys, id, value, ...names) => {
    const cell = SecureCellSeal.withKey(keys[id]).encrypt(Buffer.concat([Buffer.of(0), value]), place(...names));
    return Buffer.concat([Buffer.from('TK1'), Buffer.from(id, 'hex'), cell]);
};

async function main([file, table, column]) {
    await initialized;
    const named = Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')));
    const keys = Object.fromEntries(named.map(([id, key]) => [id, Buffer.from(key, 'base64')]));
    for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
        const [row, cell] = line.split(' ');
        const value = exports.open(keys, Buffer.from(cell, 'base64'), table, column, row);
        console.log(`${row} ${Buffer.from(value)}`);
    }
}

if (require.main === module) main(process.argv.slice(2));
