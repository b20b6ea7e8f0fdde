// SPDX-License-Identifier: Apache-2.0
// Reads sealed files in Node 18 or newer. Copy it into your program:
//
//     npm install wasm-themis
//
// docs/other-languages.md shows everything below this; tests/interop/test_sealed_files.py runs it.

'use strict';

const { createHash, createHmac, timingSafeEqual } = require('crypto');
const { KeyPair, SecureCellSeal, SecureMessage } = require('wasm-themis');

const MAGIC = 'TSFILE1\n', CELL = '000101400c00000010000000'; // a file begins so, a cell in hex
const FORMS = ['(?!)', // what a slot of each kind looks like, in hex: its id, a colon, its body
    `(.{10})?:${CELL}20000000.{120}`, // 1: for a key
    ':000101410c000000100000002000000016000000.{56}(?!0{8}).{6}[0-7].1000.{96}', // 2: a passphrase
    `(.{16})?:554543320000002d.{8}0[23].{64}2027042654000000${CELL}20000000.{120}`, // 3: a key pair
    `.{32}:2027042692000000${CELL}5e000000.{244}`, // 4: a key pair, from a sender
    '(2[1-9a-f]|[3-6].|7[0-9a-e])+:.+'].map((form) => new RegExp(`^(${form})$`)); // 5: a service

const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const sha256 = (data) => createHash('sha256').update(data).digest();
const hmac = (key, ...parts) => createHmac('sha256', key).update(join(...parts)).digest();
const nameOf = (publicKey) => sha256(publicKey).toString('hex', 0, 8);
const insist = (holds) => { if (!holds) throw new Error('wrong key or context, or corrupted'); };

function slotsOf(head) {
    const slots = [];
    for (let at = 14, end; at < head.length; at = end) {
        const [kind, idLength, high, low] = head.subarray(at, at + 4), middle = at + 4 + idLength;
        end = middle + 256 * high + low;
        const id = head.toString('hex', at + 4, middle), body = head.subarray(middle, end);
        insist(slots.length < head[9] && end <= head.length);
        insist((FORMS[kind] ?? /^/).test(`${id}:${body.toString('hex')}`));
        const alike = slots.filter((slot) => slot.kind === kind && slot.id === id).length;
        const most = id && kind < 6 ? 1 : { 2: 4, 3: 64 }[kind] ?? 255; // passphrases, hidden ones
        const code = head.toString('hex', at, end), before = slots.at(-1)?.code ?? '';
        insist(before < code && alike < most && (kind !== 4 || head[9] === 1)); // a sender is alone
        slots.push({ kind, id, body, code });
    }
    return slots.length === head[9] ? slots : insist(false);
}

// The file key in a slot, if we have a secret for the slot. Throws if the secret does not open it.
function open({ kind, id, body }, digest, { key, keyId, passphrase, privateKey, publicKey }) {
    const derive = (secret, name) => hmac(secret, `\0\0\0\x01TSFILE1 ${name} slot\0`, digest);
    if (kind === 1 && key && (!id || !keyId || id === keyId)) {
        return SecureCellSeal.withKey(derive(key, 'key')).decrypt(body, join(MAGIC, 'key', digest));
    } else if (kind === 2 && passphrase) {
        const hex = derive(passphrase, 'passphrase').toString('hex');
        return SecureCellSeal.withPassphrase(hex).decrypt(body, join(MAGIC, 'passphrase', digest));
    } else if (kind === 3 && privateKey && (!id || id === nameOf(publicKey))) {
        const pair = new KeyPair(privateKey, body.subarray(0, 45));
        return new SecureMessage(pair).decrypt(body.subarray(45));
    }
}

exports.unseal = (sealed, { maxIterations = 5000000, ...secrets }, context = '') => {
    const file = Buffer.from(sealed), log2 = file[8], digest = sha256(join(context));
    const end = 14 + file.readUInt32BE(10), size = 2 ** log2 + 44, rest = file.length - end - 32;
    insist(file.toString('latin1', 0, 8) === MAGIC && log2 >= 12 && log2 <= 24);
    insist(end <= 262158 && rest >= 52 && (rest % size || 52) >= 52);
    insist(!/^544b3\d/.test(join(context).toString('hex'))); // only keyrings have such contexts

    const head = file.subarray(0, end), slots = slotsOf(head);
    const costs = slots.map(({ kind, body }) => (kind === 2 ? body.readUInt32LE(48) : 0));
    insist(!secrets.passphrase || costs.reduce((sum, cost) => sum + cost, 0) <= maxIterations);
    const found = slots.map((slot) => { try { return open(slot, digest, secrets); } catch { } });
    const mac = (key) => hmac(key, MAGIC, 'header', digest, sha256(head));
    const fits = (key) => timingSafeEqual(mac(key), file.subarray(end, end + 32));
    const fileKey = found.find((key) => key?.length === 32 && fits(key)) ?? insist(false);

    const cell = SecureCellSeal.withKey(fileKey), pieces = [];
    for (let at = end + 32; at < file.length; at += size) {
        const part = file.subarray(at, at + size), place = Buffer.alloc(10, log2);
        insist(part.toString('hex', 0, 12) === CELL && part.readUInt32LE(12) + 44 === part.length);
        place.writeBigUInt64BE(BigInt(pieces.length), 1);
        place[9] = at + size >= file.length; // 1 for the last
        pieces.push(cell.decrypt(part, join(MAGIC, place)));
    }
    const whole = Buffer.concat(pieces), length = Number(whole.readBigUInt64BE(whole.length - 8));
    insist(length <= whole.length - 8 && whole.subarray(length, -8).every((byte) => byte === 0));
    return whole.subarray(0, length);
};
