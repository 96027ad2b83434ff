// Checks a hub's transparency log with Go's own golang.org/x/mod/sumdb/{note,tlog}, or makes answers to check ours by.
//
//	tlog make          prints notes, cosignatures, tiles and proofs as JSON (tests/vectors/tlog/go.json)
//	tlog verify DIR    DIR holds what a hub serves under /tlog/, and proofs.json; exit code 1 and a reason when wrong
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func demand(ok bool, format string, args ...interface{}) {
	if !ok {
		must(fmt.Errorf(format, args...))
	}
}

// path is how C2SP tlog-tiles names a tile: Go's own name without the height.
func path(t tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
}

// cosigner verifies C2SP cosignature/v1 lines; note.Open takes it beside its own verifiers.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func cosignerKeyHash(name string, key ed25519.PublicKey) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

func newCosigner(vkey string) *cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	demand(len(parts) == 3, "verifier key %q", vkey)
	data, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	demand(len(data) == 33 && data[0] == 4, "not a cosigner's key")
	c := &cosigner{parts[0], cosignerKeyHash(parts[0], data[1:]), data[1:]}
	demand(fmt.Sprintf("%08x", c.hash) == parts[1], "key id of %q", vkey)
	return c
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	return len(sig) == 72 && ed25519.Verify(c.key, cosigned(msg, binary.BigEndian.Uint64(sig)), sig[8:])
}

func cosigned(msg []byte, at uint64) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), msg...)
}

func checkpointText(origin string, tree tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash)
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

type inclusion struct {
	Index int64       `json:"index"`
	Size  int64       `json:"size"`
	Proof []tlog.Hash `json:"proof"`
}

type consistency struct {
	Old   int64       `json:"old"`
	New   int64       `json:"new"`
	Proof []tlog.Hash `json:"proof"`
}

type proofs struct {
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

type golden struct {
	proofs
	VerifierKey string            `json:"verifier_key"`
	CosignerKey string            `json:"cosigner_key"`
	Checkpoints map[string]string `json:"checkpoints"`
	Tiles       map[string]string `json:"tiles"` // path to hex SHA-256
}

func makeGolden() {
	const origin, witness = "go.example/tlog", "go.example/witness"
	sizes := []int64{1, 2, 7, 255, 256, 257, 300, 512, 700}
	g := golden{Checkpoints: map[string]string{}, Tiles: map[string]string{}}
	seed := sha256.Sum256([]byte("log key of " + origin))
	key := ed25519.NewKeyFromSeed(seed[:])
	vkey, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	must(err)
	hash := strings.SplitN(vkey, "+", 3)[1]
	skey := "PRIVATE+KEY+" + origin + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))
	signer, err := note.NewSigner(skey)
	must(err)
	g.VerifierKey = vkey
	seed = sha256.Sum256([]byte("key of " + witness))
	wkey := ed25519.NewKeyFromSeed(seed[:])
	wpub := wkey.Public().(ed25519.PublicKey)
	whash := cosignerKeyHash(witness, wpub)
	g.CosignerKey = fmt.Sprintf("%s+%08x+%s", witness, whash, base64.StdEncoding.EncodeToString(append([]byte{4}, wpub...)))
	var stored hashes
	var old int64
	n := int64(0)
	for _, size := range sizes {
		for ; n < size; n++ {
			leaf := sha256.Sum256([]byte(fmt.Sprintf("leaf %d", n)))
			more, err := tlog.StoredHashes(n, leaf[:], stored)
			must(err)
			stored = append(stored, more...)
		}
		root, err := tlog.TreeHash(size, stored)
		must(err)
		signed, err := note.Sign(&note.Note{Text: checkpointText(origin, tlog.Tree{N: size, Hash: root})}, signer)
		must(err)
		at := uint64(1795305600 + size)
		text := []byte(checkpointText(origin, tlog.Tree{N: size, Hash: root}))
		sig := binary.BigEndian.AppendUint32(nil, whash)
		sig = binary.BigEndian.AppendUint64(sig, at)
		sig = append(sig, ed25519.Sign(wkey, cosigned(text, at))...)
		line := fmt.Sprintf("— %s %s\n", witness, base64.StdEncoding.EncodeToString(sig))
		g.Checkpoints[strconv.FormatInt(size, 10)] = string(signed) + line
		for _, tile := range tlog.NewTiles(height, old, size) {
			data, err := tlog.ReadTileData(tile, stored)
			must(err)
			g.Tiles[path(tile)] = fmt.Sprintf("%x", sha256.Sum256(data))
		}
		for _, index := range []int64{0, size / 3, size - 1} {
			proof, err := tlog.ProveRecord(size, index, stored)
			must(err)
			g.Inclusion = append(g.Inclusion, inclusion{index, size, proof})
		}
		if old > 0 {
			for _, first := range []int64{1, old, size - 1} {
				proof, err := tlog.ProveTree(size, first, stored)
				must(err)
				g.Consistency = append(g.Consistency, consistency{first, size, proof})
			}
		}
		old = size
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	must(out.Encode(g))
}

// served reads what a hub served out of files; tlog.TileHashReader checks all of it against the signed root.
type served struct {
	dir string
	n   int
}

func (s *served) Height() int { return height }
func (s *served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(s.dir, path(t)))
		if err != nil {
			return nil, err
		}
		s.n++
		out = append(out, data)
	}
	return out, nil
}
func (s *served) SaveTiles([]tlog.Tile, [][]byte) {}

func read(dir, name string) []byte {
	data, err := os.ReadFile(filepath.Join(dir, name))
	must(err)
	return data
}

func open(signed []byte, origin string, known note.Verifiers, signatures int) tlog.Tree {
	n, err := note.Open(signed, known)
	must(err)
	demand(len(n.Sigs) == signatures && len(n.UnverifiedSigs) == 0, "%d signatures verified", len(n.Sigs))
	lines := strings.Split(n.Text, "\n")
	demand(len(lines) == 4 && lines[3] == "" && lines[0] == origin, "checkpoint %q", n.Text)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	demand(n.Text == checkpointText(origin, tlog.Tree{N: size, Hash: root}), "checkpoint %q", n.Text)
	return tlog.Tree{N: size, Hash: root}
}

func verify(dir string) {
	log, err := note.NewVerifier(strings.TrimSpace(string(read(dir, "key"))))
	must(err)
	witness := newCosigner(strings.TrimSpace(string(read(dir, "witness-key"))))
	known := note.VerifierList(log, witness)
	old := open(read(dir, "old-checkpoint"), log.Name(), known, 1)
	tree := open(read(dir, "checkpoint"), log.Name(), known, 2)
	tiles := &served{dir: dir}
	reader := tlog.TileHashReader(tree, tiles)
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	must(err)
	must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	for n := int64(0); n < tree.N; {
		t := tlog.Tile{H: height, L: 0, N: n >> height, W: 1 << height}
		if left := tree.N - n; left < 1<<height {
			t.W = int(left)
		}
		rest := read(dir, strings.Replace(path(t), "tile/0/", "tile/entries/", 1))
		for i := 0; i < t.W; i++ {
			demand(len(rest) >= 2, "entries end early")
			length := int(binary.BigEndian.Uint16(rest))
			demand(length == 32 && len(rest) >= 2+length, "an entry of %d octets", length)
			leaf := tlog.RecordHash(rest[2 : 2+length])
			rest = rest[2+length:]
			proof, err := tlog.ProveRecord(tree.N, n, reader)
			must(err)
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf))
			n++
		}
		demand(len(rest) == 0, "entries too long")
	}
	var ours proofs
	must(json.Unmarshal(read(dir, "proofs.json"), &ours))
	demand(len(ours.Inclusion) > 0 && len(ours.Consistency) > 0, "no proofs")
	whole := tlog.TileHashReader(tree, tiles)
	for _, p := range ours.Inclusion {
		demand(p.Size == tree.N, "size")
		leaf, err := whole.ReadHashes([]int64{tlog.StoredHashIndex(0, p.Index)})
		must(err)
		must(tlog.CheckRecord(p.Proof, tree.N, tree.Hash, p.Index, leaf[0]))
	}
	for _, p := range ours.Consistency {
		demand(p.New == tree.N, "size")
		first, err := tlog.TreeHash(p.Old, whole)
		must(err)
		must(tlog.CheckTree(p.Proof, tree.N, tree.Hash, p.Old, first))
	}
	fmt.Printf("%d leaves, %d tiles read, %d proofs\n", tree.N, tiles.n, len(ours.Inclusion)+len(ours.Consistency))
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "make":
		makeGolden()
	case len(os.Args) == 3 && os.Args[1] == "verify":
		verify(os.Args[2])
	default:
		must(fmt.Errorf("usage: tlog make | tlog verify DIR"))
	}
}
