package fn

import "github.com/wadi-project/wadi/internal/schema"

// Aggregate is an aggregate function of a plan.
type Aggregate uint8

// The aggregates. Nulls are left out by all but Count, First and those of dynamics.
const (
	Count Aggregate = iota + 1
	DCount
	Sum
	Avg
	Min
	Max
	TakeAny
	Stdev
	StdevP
	Variance
	VarianceP
	// Covariance and CovarianceP take two numbers.
	Covariance
	CovarianceP
	BitAnd
	BitOr
	BitXor
	// ArgMax and ArgMin give their first argument in the first row where the second is
	// greatest (least); in the first row where all are null.
	ArgMax
	ArgMin
	// Percentile takes a value and a percentage: the nearest rank, so one of the
	// values.
	Percentile
	// PercentileW takes a value, its weight and a percentage.
	PercentileW
	// MakeList, MakeListNulls, MakeSet and MakeBag give a dynamic. They take a value,
	// the most elements, and optionally the place of a row in the order of rows.
	MakeList
	MakeListNulls
	MakeSet
	MakeBag
	// MakeSeries takes the value of a bin, its number, the number of bins and the
	// value of empty bins; it gives an array.
	MakeSeries
	// BagShape takes a bag and a number of keys; it gives a bag of the keys' types.
	BagShape
	// BuildSchema takes a dynamic and gives the schema of all its values.
	BuildSchema
	// First gives the value in the first row, null or not, so that several are of one
	// row.
	First
)

var aggregateNames = [...]string{
	"", "count", "dcount", "sum", "avg", "min", "max", "take_any", "stdev", "stdevp", "variance", "variancep", "covariance", "covariancep",
	"bit_and", "bit_or", "bit_xor", "arg_max", "arg_min", "percentile", "percentilew", "make_list", "make_list_with_nulls", "make_set", "make_bag", "make_series", "bag_shape", "buildschema", "first",
}

// String gives the aggregate's name as plans print it.
func (a Aggregate) String() string { return aggregateNames[a] }

// AggregateFunction is an aggregate function as it is written.
type AggregateFunction struct {
	Op Aggregate
	// Param are the types of its values, none for count().
	Param Class
	// Values is the number of values.
	Values int
	// If tells that a condition follows the values (sumif).
	If bool
	// Extra is how many constants may follow: dcount's accuracy, make_set's limit.
	Extra int
	// Prefix begins the result's name, which ends with that of the first value;
	// "" is the function's own name.
	Prefix string
	// Limit is the most elements when none are given, 0 for functions without.
	Limit int64
	// Result is the type, 0 for that of the argument (int sums are long).
	Result schema.Type
}

// The limits of collections: Kusto's own, and that of the old names.
const (
	collectionLimit    = 1 << 20
	oldCollectionLimit = 128
)

// Aggregates are the aggregate functions by name.
var Aggregates = map[string]AggregateFunction{
	"count":                {Op: Count, Result: schema.Long},
	"countif":              {Op: Count, If: true, Result: schema.Long},
	"dcount":               {Op: DCount, Param: anyType, Values: 1, Extra: 1, Result: schema.Long},
	"dcountif":             {Op: DCount, Param: anyType, Values: 1, Extra: 1, If: true, Result: schema.Long},
	"count_distinct":       {Op: DCount, Param: anyType, Values: 1, Result: schema.Long},
	"count_distinctif":     {Op: DCount, Param: anyType, Values: 1, If: true, Result: schema.Long},
	"sum":                  {Op: Sum, Param: Of(schema.Decimal) | number | duration, Values: 1},
	"sumif":                {Op: Sum, Param: Of(schema.Decimal) | number | duration, Values: 1, If: true},
	"avg":                  {Op: Avg, Param: Of(schema.Decimal) | number | duration | moment, Values: 1},
	"avgif":                {Op: Avg, Param: Of(schema.Decimal) | number | duration | moment, Values: 1, If: true},
	"min":                  {Op: Min, Param: Of(schema.Decimal) | plain, Values: 1},
	"minif":                {Op: Min, Param: Of(schema.Decimal) | plain, Values: 1, If: true},
	"max":                  {Op: Max, Param: Of(schema.Decimal) | plain, Values: 1},
	"maxif":                {Op: Max, Param: Of(schema.Decimal) | plain, Values: 1, If: true},
	"take_any":             {Op: TakeAny, Param: anyType, Values: 1},
	"any":                  {Op: TakeAny, Param: anyType, Values: 1},
	"take_anyif":           {Op: TakeAny, Param: anyType, Values: 1, If: true},
	"anyif":                {Op: TakeAny, Param: anyType, Values: 1, If: true},
	"stdev":                {Op: Stdev, Param: number, Values: 1, Result: schema.Real},
	"stdevif":              {Op: Stdev, Param: number, Values: 1, If: true, Result: schema.Real},
	"stdevp":               {Op: StdevP, Param: number, Values: 1, Result: schema.Real},
	"variance":             {Op: Variance, Param: number, Values: 1, Result: schema.Real},
	"varianceif":           {Op: Variance, Param: number, Values: 1, If: true, Result: schema.Real},
	"variancep":            {Op: VarianceP, Param: number, Values: 1, Result: schema.Real},
	"variancepif":          {Op: VarianceP, Param: number, Values: 1, If: true, Result: schema.Real},
	"covariance":           {Op: Covariance, Param: number, Values: 2, Result: schema.Real},
	"covarianceif":         {Op: Covariance, Param: number, Values: 2, If: true, Result: schema.Real},
	"covariancep":          {Op: CovarianceP, Param: number, Values: 2, Result: schema.Real},
	"covariancepif":        {Op: CovarianceP, Param: number, Values: 2, If: true, Result: schema.Real},
	"binary_all_and":       {Op: BitAnd, Param: whole, Values: 1},
	"binary_all_or":        {Op: BitOr, Param: whole, Values: 1},
	"binary_all_xor":       {Op: BitXor, Param: whole, Values: 1},
	"make_list":            {Op: MakeList, Param: anyType, Values: 1, Extra: 1, Prefix: "list", Limit: collectionLimit, Result: schema.Dynamic},
	"make_list_if":         {Op: MakeList, Param: anyType, Values: 1, If: true, Extra: 1, Prefix: "list", Limit: collectionLimit, Result: schema.Dynamic},
	"make_list_with_nulls": {Op: MakeListNulls, Param: anyType, Values: 1, Prefix: "list", Limit: collectionLimit, Result: schema.Dynamic},
	"makelist":             {Op: MakeList, Param: anyType, Values: 1, Extra: 1, Prefix: "list", Limit: oldCollectionLimit, Result: schema.Dynamic},
	"make_set":             {Op: MakeSet, Param: anyType, Values: 1, Extra: 1, Prefix: "set", Limit: collectionLimit, Result: schema.Dynamic},
	"make_set_if":          {Op: MakeSet, Param: anyType, Values: 1, If: true, Extra: 1, Prefix: "set", Limit: collectionLimit, Result: schema.Dynamic},
	"makeset":              {Op: MakeSet, Param: anyType, Values: 1, Extra: 1, Prefix: "set", Limit: oldCollectionLimit, Result: schema.Dynamic},
	"make_bag":             {Op: MakeBag, Param: Of(schema.Dynamic), Values: 1, Extra: 1, Prefix: "bag", Limit: collectionLimit, Result: schema.Dynamic},
	"make_bag_if":          {Op: MakeBag, Param: Of(schema.Dynamic), Values: 1, If: true, Extra: 1, Prefix: "bag", Limit: collectionLimit, Result: schema.Dynamic},
	"make_dictionary":      {Op: MakeBag, Param: Of(schema.Dynamic), Values: 1, Extra: 1, Prefix: "dictionary", Limit: collectionLimit, Result: schema.Dynamic},
	"buildschema":          {Op: BuildSchema, Param: Of(schema.Dynamic), Values: 1, Prefix: "schema", Result: schema.Dynamic},
	"percentile":           {Op: Percentile, Param: number | duration | moment, Values: 1},
	"percentiles":          {Op: Percentile, Param: number | duration | moment, Values: 1},
	"percentiles_array":    {Op: Percentile, Param: number | duration | moment, Values: 1, Prefix: "percentiles", Result: schema.Dynamic},
	"percentilew":          {Op: PercentileW, Param: number | duration | moment, Values: 2},
	"percentilesw":         {Op: PercentileW, Param: number | duration | moment, Values: 2},
	"percentilesw_array":   {Op: PercentileW, Param: number | duration | moment, Values: 2, Prefix: "percentiles", Result: schema.Dynamic},
	"arg_max":              {Op: ArgMax, Param: plain, Values: 1},
	"argmax":               {Op: ArgMax, Param: plain, Values: 1},
	"argmin":               {Op: ArgMin, Param: plain, Values: 1},
	"arg_min":              {Op: ArgMin, Param: plain, Values: 1},
}
