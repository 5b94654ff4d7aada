package main

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"text/template"
)

// Thing has fields, and methods on its pointer.
type Thing struct {
	Name string
	N    int
	Any  any
	M    map[string]any
}

func (t *Thing) Greet(who string) string { return t.Name + " greets " + who }
func (t *Thing) Count() int              { return t.N }
func (t *Thing) Self() *Thing            { return t }
func (t *Thing) Fail() (string, error)   { return "", errors.New("thing failed") }
func (t *Thing) Sum(numbers ...int) int  { return t.N + sum(numbers...) }

// Point is a struct without methods.
type Point struct{ X, Y int }

// Label prints as what String says.
type Label struct{ Text string }

func (l Label) String() string { return "label " + l.Text }

// Fault is an error.
type Fault struct{ Code int }

func (f Fault) Error() string { return fmt.Sprintf("fault %d", f.Code) }

// Dict is a map with a method.
type Dict map[string]any

func (d Dict) Get(key string) any { return d[key] }

// Values is a map that has nothing but a name.
type Values map[string]any

// Names is a slice with a method.
type Names []string

func (n Names) Has(name string) bool {
	for _, each := range n {
		if each == name {
			return true
		}
	}
	return false
}

func sum(numbers ...int) int {
	total := 0
	for _, number := range numbers {
		total += number
	}
	return total
}

var functions = template.FuncMap{
	"add":   func(a, b int) int { return a + b },
	"inc":   func(a int) int { return a + 1 },
	"sum":   sum,
	"upper": strings.ToUpper,
	"join":  func(by string, parts ...string) string { return strings.Join(parts, by) },
	"half":  func(number float64) float64 { return number / 2 },
	"flag":  func(on bool) string { return fmt.Sprint("flag ", on) },
	"i8":    func(number int8) int8 { return number },
	"i64":   func(number int64) int64 { return number },
	"u":     func(number uint) uint { return number },
	"u8":    func(number uint8) uint8 { return number },
	"f32":   func(number float32) float32 { return number },
	"cplx":  func(number complex128) complex128 { return number },
	"fails": func(text string) (string, error) { return "", errors.New(text) },
	"panics": func(text string) string {
		panic(text)
	},
	"type":   func(value any) string { return fmt.Sprintf("%T", value) },
	"null":   func() any { return nil },
	"list":   func(values ...any) []any { return values },
	"strs":   func(values ...string) []string { return values },
	"append": func(values []any, more ...any) []any { return append(values, more...) },
	"dict": func(pairs ...any) map[string]any {
		dict := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			dict[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		return dict
	},
	"set": func(dict map[string]any, key string, value any) map[string]any {
		dict[key] = value
		return dict
	},
	"count":  func(dict map[string]any) int { return len(dict) },
	"thing":  func() *Thing { return &Thing{"tom", 3, nil, map[string]any{"a": 1, "b": nil}} },
	"native": native,
}

// native gives values that JSON cannot say.
func native(name string) any {
	switch name {
	case "int8":
		return int8(-8)
	case "int16":
		return int16(16)
	case "int32":
		return int32(32)
	case "int64":
		return int64(-64)
	case "uint":
		return uint(7)
	case "uint8":
		return uint8(200)
	case "uint16":
		return uint16(1600)
	case "uint32":
		return uint32(3200)
	case "uint64":
		return uint64(math.MaxUint64)
	case "minint":
		return math.MinInt64
	case "float32":
		return float32(0.1)
	case "nan":
		return math.NaN()
	case "inf":
		return math.Inf(1)
	case "-inf":
		return math.Inf(-1)
	case "-0":
		return math.Copysign(0, -1)
	case "tiny":
		return math.SmallestNonzeroFloat64
	case "huge":
		return math.MaxFloat64
	case "nilmap":
		return map[string]any(nil)
	case "nilslice":
		return []any(nil)
	case "nilthing":
		return (*Thing)(nil)
	case "bytes":
		return []byte("by\x00\xfftes")
	case "strmap":
		return map[string]string{"a": "x", "b": "y"}
	case "mapmap":
		return map[string]map[string]any{"a": {"x": 1}}
	case "ints":
		return []int{3, 1, 2}
	case "point":
		return Point{1, 2}
	case "pointer":
		return &Point{3, 4}
	case "label":
		return Label{"l"}
	case "labels":
		return []any{Label{"a"}, Label{"b"}}
	case "fault":
		return Fault{7}
	case "dict":
		return Dict{"k": "v", "n": nil}
	case "values":
		return Values{"k": "v", "m": Values{"x": 1}}
	case "names":
		return Names{"ann", "bob"}
	case "func":
		return func(a, b int) int { return a*10 + b }
	case "vfunc":
		return func(by string, parts ...any) (string, error) { return fmt.Sprint(append([]any{by}, parts...)...), nil }
	case "ffunc":
		return func() (int, error) { return 0, errors.New("ffunc failed") }
	case "seq":
		return iter.Seq[int](func(yield func(int) bool) {
			for i := 10; i < 14 && yield(i); i++ {
			}
		})
	case "seq2":
		return iter.Seq2[string, int](func(yield func(string, int) bool) {
			_ = yield("a", 1) && yield("b", 2) && yield("c", 3)
		})
	case "seq0":
		return iter.Seq[int](func(func(int) bool) {})
	}
	panic("no native value " + name)
}
