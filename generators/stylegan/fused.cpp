// Filtered leaky ReLU: bias, upsample, leaky ReLU and clamp, downsample, in one pass over memory.
//
// The operation is that of Karras et al., "Alias-Free Generative Adversarial Networks"
// (arXiv:2106.12423, section 3 and appendix D): a point-wise nonlinearity at a raised sampling
// rate, between two low-pass filters. What is raised is four to sixteen times as large as what
// comes in and what goes out, so it must never reach memory: each plane is streamed by rows, and
// only the rows that the second filter still needs are kept, which fit the first-level cache.
//
// Every filter here, of a row, of a column or of both, is a weighted sum of shifted rows. Rows are
// kept split by phase: sample P m + p of a row stands at m in its phase p, where P is the least
// common multiple of the two factors. So neither inserted zeros nor discarded samples are ever
// computed, and every sum runs over contiguous samples.
//
// The backward pass is the transposed operation: the same two stages with their filters reversed
// and exchanged, and in place of the nonlinearity its slope, kept as two bits a sample. It is
// linear, and its own transpose is the first operation with fixed slopes: one function does all.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>
#include <vector>

namespace {

constexpr int64_t kGroup = 32;  // samples that share kGroup / 4 bytes of the mask

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
int64_t ceil_divide(int64_t a, int64_t b) { return -floor_divide(-a, b); }
int64_t modulo(int64_t a, int64_t b) { return a - b * floor_divide(a, b); }

// Measured on a processor that has 64 bytes too: rows are short, and 32 leave less of them over.
constexpr int64_t kVectorBytes = 32;

template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(kVectorBytes)));
  typedef T anywhere __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
  static constexpr int64_t size = kVectorBytes / sizeof(T);
  // What comparisons give: integers as wide, all their bits set where it is so.
  typedef decltype(type{} > type{}) flags;
  typedef uint8_t bytes __attribute__((vector_size(kVectorBytes / sizeof(T))));

  static type load(const T* from) { return *reinterpret_cast<const anywhere*>(from); }
  static void store(T* to, type value) { *reinterpret_cast<anywhere*>(to) = value; }
  static type all(T value) { return type{} + value; }

  static flags load_bytes(const uint8_t* from) {
    bytes narrow;
    std::memcpy(&narrow, from, sizeof(narrow));
    return __builtin_convertvector(narrow, flags);
  }
  static void store_bytes(uint8_t* to, flags values) {
    const bytes narrow = __builtin_convertvector(values, bytes);
    std::memcpy(to, &narrow, sizeof(narrow));
  }
};

// One term of M weighted sums of rows: where its row begins, from a common start.
template <typename T, int M>
struct Term {
  int64_t offset;
  T weights[M];
};

// The terms of one row of taps, and where the row of samples begins that they weigh.
template <typename T, int M>
struct Line {
  int64_t offset;
  const Term<T, M>* terms;
  int64_t n_terms;
};

// Call block(N, x, last) for runs of N = 1 ... 4 vectors, about as many in each, that cover n samples:
// the vectors stand side by side from x on, but for the last, which stands at `last` and may overlap
// the one before. There must be one vector's worth of samples.
template <typename T, typename Block>
inline void in_blocks(int64_t n, const Block& block) {
  constexpr int64_t width = Vector<T>::size;
  int64_t x = 0;
  for (int64_t left = ceil_divide(n, width), count; left > 0; left -= count, x += count * width) {
    count = left > 8 ? 4 : left > 4 ? (left + 1) / 2 : left;
    const int64_t last = std::min(x + (count - 1) * width, n - width);
    switch (count) {
      case 1: block(std::integral_constant<int, 1>{}, x, last); break;
      case 2: block(std::integral_constant<int, 2>{}, x, last); break;
      case 3: block(std::integral_constant<int, 3>{}, x, last); break;
      default: block(std::integral_constant<int, 4>{}, x, last);
    }
  }
}

// M sums over the same samples, of N vectors each: they share the loads of samples, and the vectors
// those of weights. K > 0 is the number of terms of the only line, known to the compiler: as loops,
// they would take a sixth of the time.
template <typename T, int M, int N, int K, typename End>
inline void sum_block(T* const* out, int64_t x, int64_t last, const T* samples,
                      const Line<T, M>* lines, int64_t n_lines, const T* start, const End end) {
  using V = Vector<T>;
  // Loops that are not unrolled would keep these in memory.
  typename V::type sums[M][N], loaded[N];
#pragma GCC unroll 8
  for (int j = 0; j < M; ++j)
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) sums[j][i] = V::all(start[j]);
  const auto add = [&](const T* from, const Term<T, M>& term) __attribute__((always_inline)) {
    const T* row = from + term.offset;
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) loaded[i] = V::load(row + (i < N - 1 ? x + i * V::size : last));
#pragma GCC unroll 8
    for (int j = 0; j < M; ++j)
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i) sums[j][i] += loaded[i] * term.weights[j];
  };
  if constexpr (K > 0) {
#pragma GCC unroll 16
    for (int k = 0; k < K; ++k) add(samples + lines->offset, lines->terms[k]);
  } else {
    for (int64_t k = 0; k < n_lines; ++k)
      for (int64_t i = 0; i < lines[k].n_terms; ++i)
        add(samples + lines[k].offset, lines[k].terms[i]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < M; ++j)
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i)
      V::store(out[j] + (i < N - 1 ? x + i * V::size : last), end(sums[j][i]));
}

// out[j][x] = end(start[j] + sum over lines and their terms of weights[j] * (samples + both
// offsets)[x]) for 0 <= x < n. Nothing else is touched.
template <typename T, int M, typename End>
void weighted_sums(T* const* out, int64_t n, const T* samples, const Line<T, M>* lines,
                   int64_t n_lines, const T* start, const End end) {
  const auto blocks = [&](auto terms) {
    in_blocks<T>(n, [&](auto count, int64_t x, int64_t last) {
      sum_block<T, M, count(), terms()>(out, x, last, samples, lines, n_lines, start, end);
    });
  };
  if (n >= Vector<T>::size) {
    if constexpr (M == 2)  // what filters of 12 taps at each rate come to
      switch (n_lines == 1 ? lines->n_terms : 0) {
        case 6: return blocks(std::integral_constant<int, 6>{});
        case 7: return blocks(std::integral_constant<int, 7>{});
        case 14: return blocks(std::integral_constant<int, 14>{});
        default: break;
      }
    return blocks(std::integral_constant<int, 0>{});
  }
  for (int j = 0; j < M; ++j)
    for (int64_t x = 0; x < n; ++x) {
      T sum = start[j];
      for (int64_t k = 0; k < n_lines; ++k)
        for (int64_t i = 0; i < lines[k].n_terms; ++i) {
          const Term<T, M>& term = lines[k].terms[i];
          sum += term.weights[j] * samples[lines[k].offset + term.offset + x];
        }
      out[j][x] = end(sum);
    }
}

// The same sum of R rows: out[r][x] = sum of weight * (rows[r] + offset)[x] over n_terms terms, or
// over K of them.
template <typename T, int R, int N, int K>
inline void same_block(T* const* out, int64_t x, int64_t last, const T* const* rows,
                       const Term<T, 1>* terms, int64_t n_terms) {
  using V = Vector<T>;
  typename V::type sums[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) sums[r][i] = typename V::type{};
#pragma GCC unroll 16
  for (const Term<T, 1>* term = terms; term < terms + (K ? K : n_terms); ++term)
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i)
        sums[r][i] +=
            V::load(rows[r] + term->offset + (i < N - 1 ? x + i * V::size : last)) *
            term->weights[0];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i)
      V::store(out[r] + (i < N - 1 ? x + i * V::size : last), sums[r][i]);
}

template <typename T, int R>
void same_sums(T* const* out, int64_t n, const T* const* rows, const Term<T, 1>* terms,
               int64_t n_terms) {
  if (n >= Vector<T>::size)
    return in_blocks<T>(n, [&](auto count, int64_t x, int64_t last) {
      if (n_terms == 12) same_block<T, R, count(), 12>(out, x, last, rows, terms, n_terms);
      else same_block<T, R, count(), 0>(out, x, last, rows, terms, n_terms);
    });
  for (int r = 0; r < R; ++r)
    for (int64_t x = 0; x < n; ++x) {
      T sum = 0;
      for (int64_t k = 0; k < n_terms; ++k)
        sum += terms[k].weights[0] * rows[r][terms[k].offset + x];
      out[r][x] = sum;
    }
}

// What becomes of a sum before it is stored.
struct Keep {
  template <typename V>
  V operator()(V value) const { return value; }
};

template <typename T>
struct Times {
  T factor;
  template <typename V>
  V operator()(V value) const { return value * factor; }
};

// A row split by phase, with zeros on both sides of each phase.
struct Layout {
  int64_t width, phases, left, stride, shortest, longer;

  // The layout of a row of which samples -before ... width + after are read.
  Layout(int64_t width, int64_t phases, int64_t before, int64_t after)
      : width(width), phases(phases), left(ceil_divide(std::max<int64_t>(before, 0), phases)),
        shortest(width / phases), longer(width % phases) {
    const int64_t samples = ceil_divide(ceil_divide(width, phases), kGroup) * kGroup;
    stride = left + samples + ceil_divide(std::max<int64_t>(after, 0), phases) + 1;
  }
  int64_t size() const { return phases * stride; }
  int64_t count(int64_t phase) const { return shortest + (phase < longer); }
  // Where sample `index` of the row stands, which may lie in the zeros.
  int64_t at(int64_t index) const {
    return modulo(index, phases) * stride + left + floor_divide(index, phases);
  }
};

enum class Mask { kNone, kWrite, kRead };

// The nonlinearity, and what is kept of it: two bits a sample, 1 where the value was not positive,
// 2 where it was clamped. Byte b of a group holds samples b, b + 8, b + 16 and b + 24.
template <typename T>
struct Bend {
  T gain, slope, clamp;  // no clamping where clamp < 0

  // Of `kGroup` samples, in place, with what is kept of it. Written in vectors: left to itself, a
  // compiler takes every fourth sample apart.
  template <Mask mask>
  void apply(T* x, uint8_t* bits) const {
    using V = Vector<T>;
    constexpr int64_t n = kGroup / 4;
    const typename V::type zero{}, above = V::all(gain), below = V::all(gain * slope);
    const auto high = V::all(limit()), low = -high;
    for (int64_t i = 0; i < n; i += V::size) {
      typename V::flags codes{};
      if (mask == Mask::kRead) codes = V::load_bytes(bits + i);
#pragma GCC unroll 4
      for (int part = 0; part < 4; ++part) {
        T* at = x + part * n + i;
        const auto value = V::load(at);
        if (mask == Mask::kRead) {
          const auto code = codes >> (2 * part);
          const auto bent = value * ((code & 1) != 0 ? below : above);
          V::store(at, (code & 2) != 0 ? zero : bent);
        } else {
          const auto positive = value > zero;
          const auto bent = value * (positive ? above : below);
          const auto over = bent > high, under = bent < low;
          codes |= ((~positive & 1) | ((over | under) & 2)) << (2 * part);
          V::store(at, over ? high : under ? low : bent);
        }
      }
      if (mask == Mask::kWrite) V::store_bytes(bits + i, codes);
    }
  }

  T limit() const { return clamp < T(0) ? std::numeric_limits<T>::infinity() : clamp; }
};

// The same on a sum before it is stored, where nothing is to be kept of it.
template <typename T>
struct Bent {
  typename Vector<T>::type above, below, high, low;

  explicit Bent(const Bend<T>& bend)
      : above(Vector<T>::all(bend.gain)), below(Vector<T>::all(bend.gain * bend.slope)),
        high(Vector<T>::all(bend.limit())), low(-high) {}

  typename Vector<T>::type operator()(typename Vector<T>::type value) const {
    const auto bent = value * (value > typename Vector<T>::type{} ? above : below);
    return bent > high ? high : bent < low ? low : bent;
  }
  T operator()(T value) const { return (*this)(Vector<T>::all(value))[0]; }
};

struct Sizes {
  int64_t up, down;
  int64_t up_offset_y, up_offset_x;      // tap k of raised i meets sample (i + k - offset) / up
  int64_t down_offset_y, down_offset_x;  // tap k of output j meets raised down j + k + offset
  int64_t in_height, in_width, mid_height, mid_width, out_height, out_width;
};

// A filter: (taps,) along both axes, one after the other, or (taps, taps) at once.
template <typename T>
struct Filter {
  const T* weights;
  int64_t taps;
  bool radial;

  int64_t rows() const { return radial ? taps : 1; }
  T at(int64_t k, int64_t row = 0) const {
    const bool within = k >= 0 && k < taps && row >= 0 && row < rows();
    return within ? weights[row * taps + k] : T(0);
  }
};

// The operation, on one plane after the other. M neighbours along the first filter's output, and
// M rows of the second one's, are made at once: their sums have most samples in common. M is 1
// where a filter has one tap, for a weight of zero would make NaN of infinity.
template <typename T, int M>
class Plane {
 public:
  Plane(const Sizes& s, Filter<T> up, Filter<T> down, const Bend<T>& bend, Mask mode)
      : s_(s), up_(up), down_(down), bend_(bend), mode_(mode),
        phases_(std::lcm(s.up, s.down)),
        in_(s.in_width, phases_ / s.up, ceil_divide(s.up_offset_x, s.up),
            ceil_divide(s.mid_width + M + up.taps - s.up_offset_x, s.up) - s.in_width),
        mid_(s.mid_width, phases_, -s.down_offset_x,
             s.down * s.out_width + down.taps + s.down_offset_x - s.mid_width),
        out_(s.out_width, phases_ / s.down, 0, 0),
        in_rows_(up.radial ? ceil_divide(up.taps, s.up) + 1 : M),
        mid_rows_(down.taps + (M - 1) * s.down),
        in_buffer_(in_rows_ * in_.size()),
        mid_buffer_((down.radial ? mid_rows_ : M) * mid_.size()),
        out_buffer_((down.radial ? 0 : mid_rows_) * out_.size()),
        spare_(std::max({s.in_width, mid_.stride, s.out_width})),
        lines_(M, std::vector<T>(std::max(s.in_width, out_.size()))),
        raising_(up.rows() * phases_), radial_(down.radial ? mid_rows_ * out_.phases : 0),
        columns_(up.radial ? 0 : s.up), lowering_(down.radial ? 0 : out_.phases),
        collecting_(down.radial ? 0 : mid_rows_),
        reach_(std::max(up.taps, mid_rows_) + M) {
    // Sample e of the input meets raised sample p by tap e up + offset - p.
    for (int64_t row = 0; row < up.rows(); ++row)
      for (int64_t p = 0; p < phases_; p += M) {
        const int64_t begin = ceil_divide(p - s.up_offset_x, s.up);
        const int64_t end = floor_divide(p + M - 1 + up.taps - 1 - s.up_offset_x, s.up) + 1;
        for (int64_t e = begin; e < end; ++e)
          raising_[row * phases_ + p].push_back(
              term(in_.at(e), up, e * s.up + s.up_offset_x - p, 1, row, 0));
      }
    for (int64_t p = 0; p < out_.phases; ++p)
      for (int64_t k = 0; k < down.taps; ++k) {
        const int64_t at = mid_.at(s.down * p + k + s.down_offset_x);
        if (!down.radial) lowering_[p].push_back({at, {down.at(k)}});
        for (int64_t row = 0; down.radial && row < mid_rows_; ++row)
          radial_[row * out_.phases + p].push_back(term(at, down, k, 0, row, s.down));
      }
    for (int64_t k = 0; k < static_cast<int64_t>(columns_.size()); ++k)
      for (int64_t y = 0; y * s.up + k < up.taps + M - 1; ++y)
        columns_[k].push_back(term(y * s.in_width, up, y * s.up + k, 1, 0, 0));
    for (const Terms& terms : columns_) {
      totals_.push_back({});
      for (const Term<T, M>& one : terms)
        for (int j = 0; j < M; ++j) totals_.back().weights[j] += one.weights[j];
    }
    for (int64_t i = 0; i < static_cast<int64_t>(collecting_.size()); ++i)
      for (int64_t k = 0; k < mid_rows_; ++k)
        collecting_[i].push_back(term(out_row(i + k), down, k, s.down, 0, 0));
  }

  // in (in_height, in_width), out (out_height, out_width), bits (mid_height, n_bytes) or null.
  // What comes in is taken times `scale`, plus `bias`; what goes out, times `result`.
  void run(const T* in, T scale, T bias, T result, T* out, uint8_t* bits, int64_t n_bytes) {
    in_ready_ = 0;
    scaled_ = columns_;
    for (Terms& terms : scaled_)
      for (Term<T, M>& one : terms)
        for (T& weight : one.weights) weight *= scale;
    int64_t ready = 0;
    for (int64_t j = 0; j < s_.out_height; j += M) {
      const int64_t first = s_.down * j + s_.down_offset_y;
      const int64_t end = std::min(first + mid_rows_, s_.mid_height);
      while (ready < end) {
        const int64_t rows = down_.radial ? 1 : std::min<int64_t>(M, end - ready);
        for (int64_t i = ready; i < ready + rows; ++i) {
          T* row = mid_buffer_.data() + mid_row(i);
          if (up_.radial) raise_radial(in, scale, bias, i, row);
          else raise(in, bias, i, row);
          if (mode_ == Mask::kWrite) bend_row<Mask::kWrite>(row, bits + i * n_bytes);
          if (mode_ == Mask::kRead) bend_row<Mask::kRead>(row, bits + i * n_bytes);
        }
        if (!down_.radial && rows == M) lower_rows<M>(ready);
        else if (!down_.radial) lower_rows<1>(ready);
        ready += rows;
      }
      lower(first, end, result, out + j * s_.out_width, s_.out_height - j);
    }
  }

 private:
  using Terms = std::vector<Term<T, M>>;

  // Neighbour j of a sum takes tap k - j step of row - j row_step, where there is one.
  static Term<T, M> term(int64_t offset, const Filter<T>& filter, int64_t k, int64_t step,
                         int64_t row, int64_t row_step) {
    Term<T, M> made{offset, {}};
    for (int j = 0; j < M; ++j) made.weights[j] = filter.at(k - j * step, row - j * row_step);
    return made;
  }

  static Line<T, M> line(int64_t offset, const Terms& terms) {
    return {offset, terms.data(), static_cast<int64_t>(terms.size())};
  }

  // Where rows stand in the buffers that hold the last few of them.
  int64_t in_row(int64_t y) const { return (up_.radial ? y % in_rows_ : y % M) * in_.size(); }
  int64_t mid_row(int64_t i) const { return (down_.radial ? i % mid_rows_ : i % M) * mid_.size(); }
  int64_t out_row(int64_t i) const { return i % mid_rows_ * out_.size(); }

  // The rows of the input that raised rows i ... i + n - 1 meet.
  int64_t first_met(int64_t i) const {
    return std::max<int64_t>(ceil_divide(i - s_.up_offset_y, s_.up), 0);
  }
  int64_t end_met(int64_t i, int64_t n) const {
    const int64_t last = floor_divide(i + n - 1 + up_.taps - 1 - s_.up_offset_y, s_.up);
    return std::min(last + 1, s_.in_height);
  }

  // Copy a line of the input into a row split by phase.
  void split(const T* from, T scale, T bias, T* row) const {
    T* to = row + in_.left;
    int64_t m = 0;
    if (in_.phases == 2)  // both at once, for vectors' sake
      for (; m < in_.shortest; ++m) {
        to[m] = from[2 * m] * scale + bias;
        to[m + in_.stride] = from[2 * m + 1] * scale + bias;
      }
    for (int64_t x = m * in_.phases, p = 0; x < in_.width; ++x) {
      to[p * in_.stride + m] = from[x] * scale + bias;
      if (++p == in_.phases) p = 0, ++m;
    }
  }

  // Copy the phases of a line of the output to where they belong.
  void join(const T* phases, T* to) const {
    int64_t m = 0;
    if (out_.phases == 2)
      for (; m < out_.shortest; ++m) {
        to[2 * m] = phases[m];
        to[2 * m + 1] = phases[m + out_.stride];
      }
    for (int64_t x = m * out_.phases, p = 0; x < out_.width; ++x) {
      to[x] = phases[p * out_.stride + m];
      if (++p == out_.phases) p = 0, ++m;
    }
  }

  // Row i at the raised rate: along the column, then along the row.
  void raise(const T* in, T bias, int64_t i, T* row) {
    if (i % M == 0) merge(in, bias, i);
    for (int64_t p = 0; p < phases_; p += M) {
      reach_[0] = line(in_row(i), raising_[p]);
      raise_phases(row, p, 1);
    }
  }

  void raise_radial(const T* in, T scale, T bias, int64_t i, T* row) {
    const int64_t begin = first_met(i), end = end_met(i, 1);
    for (in_ready_ = std::max(in_ready_, begin); in_ready_ < end; ++in_ready_)
      split(in + in_ready_ * s_.in_width, scale, bias, in_buffer_.data() + in_row(in_ready_));
    for (int64_t p = 0; p < phases_; p += M) {
      for (int64_t y = begin; y < end; ++y) {
        const int64_t tap = y * s_.up + s_.up_offset_y - i;
        reach_[y - begin] = line(in_row(y), raising_[tap * phases_ + p]);
      }
      raise_phases(row, p, std::max<int64_t>(end - begin, 0));
    }
  }

  // Phases p ... p + M - 1 of a raised row, from the lines of `reach_`.
  void raise_phases(T* row, int64_t p, int64_t n_lines) {
    T* to[M];
    const T start[M] = {};
    for (int j = 0; j < M; ++j)
      to[j] = p + j < phases_ ? row + (p + j) * mid_.stride + mid_.left : spare_.data();
    const auto sum = [&](const auto& end) {
      weighted_sums(to, mid_.count(p), in_buffer_.data(), reach_.data(), n_lines, start, end);
    };
    if (mode_ == Mask::kNone) sum(Bent<T>(bend_));
    else sum(Keep{});
    // A later phase may be one shorter; beyond it there is nothing.
    for (int j = 1; j < M && p + j < phases_; ++j)
      if (mid_.count(p + j) < mid_.count(p)) to[j][mid_.count(p + j)] = T(0);
  }

  // The column's sums for raised rows i ... i + M - 1.
  void merge(const T* in, T bias, int64_t i) {
    const int64_t whole = ceil_divide(i - s_.up_offset_y, s_.up);  // before it is cut at the edge
    const int64_t begin = first_met(i), count = std::max<int64_t>(end_met(i, M) - begin, 0);
    const int64_t tap = whole * s_.up + s_.up_offset_y - i;
    T* to[M];
    T start[M] = {};
    // Only rows inside the picture have a bias, so its share is that of their weights.
    if (count == static_cast<int64_t>(columns_[tap].size()))
      for (int j = 0; j < M; ++j) start[j] = bias * totals_[tap].weights[j];
    else
      for (int64_t y = begin - whole; y < begin - whole + count; ++y)
        for (int j = 0; j < M; ++j) start[j] += bias * columns_[tap][y].weights[j];
    for (int j = 0; j < M; ++j)
      to[j] = in_.phases == 1 ? in_buffer_.data() + in_row(i + j) + in_.left : lines_[j].data();
    const Line<T, M> all{whole * s_.in_width, scaled_[tap].data() + (begin - whole), count};
    weighted_sums(to, s_.in_width, in, &all, 1, start, Keep{});
    for (int j = 0; j < M && in_.phases > 1; ++j)
      split(to[j], T(1), T(0), in_buffer_.data() + in_row(i + j));
  }

  // The nonlinearity, or its slopes, on a row at the raised rate.
  template <Mask mask>
  void bend_row(T* row, uint8_t* bits) const {
    for (int64_t p = 0; p < phases_; ++p)
      for (int64_t m = 0, n = mid_.count(p); m < n; m += kGroup, bits += kGroup / 4)
        bend_.template apply<mask>(row + p * mid_.stride + mid_.left + m, bits);
  }

  // Rows i ... i + R - 1 at the raised rate, filtered and decimated along themselves.
  template <int R>
  void lower_rows(int64_t i) {
    const T* rows[R];
    T* to[R];
    for (int64_t p = 0; p < out_.phases; ++p) {
      for (int r = 0; r < R; ++r) {
        rows[r] = mid_buffer_.data() + mid_row(i + r);
        to[r] = out_buffer_.data() + out_row(i + r) + p * out_.stride;
      }
      same_sums<T, R>(to, out_.count(p), rows, lowering_[p].data(), down_.taps);
    }
  }

  // M rows of the output, of which n are left, from rows first ... end at the raised rate.
  void lower(int64_t first, int64_t end, T result, T* out, int64_t n) {
    const int64_t begin = std::max<int64_t>(first, 0), count = std::max<int64_t>(end - begin, 0);
    const T start[M] = {};
    T* to[M];
    for (int64_t p = 0; p < out_.phases; ++p) {
      for (int j = 0; j < M; ++j)
        to[j] = out_.phases > 1 ? lines_[j].data() + p * out_.stride
                                : j < n ? out + j * s_.out_width : spare_.data();
      if (down_.radial) {
        for (int64_t i = begin; i < end; ++i)
          reach_[i - begin] = line(mid_row(i), radial_[(i - first) * out_.phases + p]);
      } else {
        const Terms& terms = collecting_[modulo(first, mid_rows_)];
        reach_[0] = {p * out_.stride, terms.data() + (begin - first), count};
      }
      weighted_sums(to, out_.count(p), (down_.radial ? mid_buffer_ : out_buffer_).data(),
                    reach_.data(), down_.radial ? count : 1, start, Times<T>{result});
    }
    for (int j = 0; j < M && j < n && out_.phases > 1; ++j)
      join(lines_[j].data(), out + j * s_.out_width);
  }

  const Sizes s_;
  const Filter<T> up_, down_;
  const Bend<T> bend_;
  const Mask mode_;
  const int64_t phases_;
  const Layout in_, mid_, out_;
  const int64_t in_rows_, mid_rows_;
  std::vector<T> in_buffer_, mid_buffer_, out_buffer_, spare_;
  std::vector<std::vector<T>> lines_;  // of the input, or of the output by phase
  std::vector<Terms> raising_, radial_;  // by row of taps, where there are several, and phase
  std::vector<Terms> columns_, scaled_;  // by the first tap that meets a row of the input
  Terms totals_;                         // the sums of their weights
  std::vector<std::vector<Term<T, 1>>> lowering_;  // by phase
  std::vector<Terms> collecting_;                  // by where the first row stands
  std::vector<Line<T, M>> reach_;
  int64_t in_ready_ = 0;
};

template <typename T>
Filter<T> filter_of(const at::Tensor& weights) {
  TORCH_CHECK(weights.is_contiguous() && weights.dim() >= 1 && weights.dim() <= 2);
  return {weights.const_data_ptr<T>(), weights.size(0), weights.dim() == 2};
}

// The bytes that one raised row takes in a mask.
int64_t mask_bytes(int64_t width, int64_t phases) {
  int64_t groups = 0;
  for (int64_t p = 0; p < phases; ++p)
    groups += ceil_divide(ceil_divide(width - p, phases), kGroup);
  return groups * (kGroup / 4);
}

// One pass over a batch (N, C, H, W); `scale` (N, C) and `bias` (C,) are of what comes in, `result`
// (N, C) of what goes out. `mask` (N C, mid height, bytes) is written or read; the filters carry
// their gain; `sizes` are the fields of Sizes in their order.
at::Tensor filtered_lrelu(const at::Tensor& input, const std::optional<at::Tensor>& scale,
                          const std::optional<at::Tensor>& bias,
                          const std::optional<at::Tensor>& result,
                          const std::optional<at::Tensor>& mask, const at::Tensor& up_filter,
                          const at::Tensor& down_filter, at::IntArrayRef sizes, double gain,
                          double slope, double clamp, bool write) {
  TORCH_CHECK(input.dim() == 4 && input.is_contiguous() && sizes.size() == 12);
  const Sizes s{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4],  sizes[5],
                sizes[6], sizes[7], sizes[8], sizes[9], sizes[10], sizes[11]};
  const int64_t channels = input.size(1), planes = input.size(0) * channels;
  TORCH_CHECK(input.size(2) == s.in_height && input.size(3) == s.in_width);
  TORCH_CHECK(!scale || (scale->is_contiguous() && scale->numel() == planes));
  TORCH_CHECK(!result || (result->is_contiguous() && result->numel() == planes));
  TORCH_CHECK(!bias || (bias->is_contiguous() && bias->numel() == channels));
  const int64_t bytes = mask_bytes(s.mid_width, std::lcm(s.up, s.down));
  TORCH_CHECK(!mask || mask->numel() == planes * s.mid_height * bytes);
  at::Tensor output =
      at::empty({input.size(0), channels, s.out_height, s.out_width}, input.options());
  AT_DISPATCH_FLOATING_TYPES(input.scalar_type(), "filtered_lrelu", [&] {
    const Mask mode = !mask ? Mask::kNone : write ? Mask::kWrite : Mask::kRead;
    const Bend<scalar_t> bend{scalar_t(gain), scalar_t(slope), scalar_t(clamp)};
    const auto up = filter_of<scalar_t>(up_filter), down = filter_of<scalar_t>(down_filter);
    const scalar_t* in = input.const_data_ptr<scalar_t>();
    const scalar_t* scales = scale ? scale->const_data_ptr<scalar_t>() : nullptr;
    const scalar_t* results = result ? result->const_data_ptr<scalar_t>() : nullptr;
    const scalar_t* biases = bias ? bias->const_data_ptr<scalar_t>() : nullptr;
    scalar_t* out = output.mutable_data_ptr<scalar_t>();
    uint8_t* bits = mask ? mask->mutable_data_ptr<uint8_t>() : nullptr;
    const auto stream = [&](auto plane, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        plane.run(in + i * s.in_height * s.in_width, scales ? scales[i] : scalar_t(1),
                  biases ? biases[i % channels] : scalar_t(0), results ? results[i] : scalar_t(1),
                  out + i * s.out_height * s.out_width,
                  bits ? bits + i * s.mid_height * bytes : nullptr, bytes);
    };
    // Planes share nothing, so the result does not depend on the number of threads.
    at::parallel_for(0, planes, 1, [&](int64_t begin, int64_t end) {
      if (up.taps > 1 && down.taps > 1)
        stream(Plane<scalar_t, 2>(s, up, down, bend, mode), begin, end);
      else
        stream(Plane<scalar_t, 1>(s, up, down, bend, mode), begin, end);
    });
  });
  return output;
}

}  // namespace

TORCH_LIBRARY(cellgen_bench, library) {
  library.def("mask_bytes(int width, int phases) -> int", &mask_bytes);
  library.def(
      "filtered_lrelu(Tensor input, Tensor? scale, Tensor? bias, Tensor? result, Tensor(a!)? "
      "mask, "
      "Tensor up_filter, Tensor down_filter, int[] sizes, float gain, float slope, float clamp, "
      "bool write) -> Tensor");
  library.impl("filtered_lrelu", c10::DispatchKey::CPU, &filtered_lrelu);
}
