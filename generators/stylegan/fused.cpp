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
#include <vector>

namespace {

constexpr int64_t kGroup = 32;  // samples that share kGroup / 4 bytes of the mask

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
int64_t ceil_divide(int64_t a, int64_t b) { return -floor_divide(-a, b); }
int64_t modulo(int64_t a, int64_t b) { return a - b * floor_divide(a, b); }

template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(64)));
  static constexpr int64_t size = 64 / sizeof(T);
};

// One term of a weighted sum of rows: where its row begins, from a common start.
template <typename T>
struct Term {
  int64_t offset;
  T weight;
};

// The terms of one row of taps, and where the row of samples begins that they weigh.
template <typename T>
struct Line {
  int64_t offset;
  const Term<T>* terms;
  int64_t n_terms;
};

// N vectors at once share the loads of weights and hide each other's latency. They stand side by
// side from x on, but for the last.
template <typename T, int N>
inline void sum_block(T* out, int64_t x, int64_t last, const T* samples, const Line<T>* lines,
                      int64_t n_lines, T start) {
  using V = typename Vector<T>::type;
  V sums[N];
  for (int i = 0; i < N; ++i) sums[i] = V{} + start;
  for (int64_t k = 0; k < n_lines; ++k) {
    const Term<T>* end = lines[k].terms + lines[k].n_terms;
    for (const Term<T>* term = lines[k].terms; term < end; ++term) {
      const T* row = samples + lines[k].offset + term->offset;
      for (int i = 0; i < N; ++i) {
        V loaded;
        std::memcpy(&loaded, row + (i < N - 1 ? x + i * Vector<T>::size : last), sizeof(V));
        sums[i] += loaded * term->weight;
      }
    }
  }
  for (int i = 0; i < N; ++i)
    std::memcpy(out + (i < N - 1 ? x + i * Vector<T>::size : last), &sums[i], sizeof(V));
}

// out[x] = start + sum over lines and their terms of weight * (samples + both offsets)[x], for
// 0 <= x < n. Nothing else is touched: the last vector overlaps the one before and writes the same
// values there.
template <typename T>
void weighted_sum(T* out, int64_t n, const T* samples, const Line<T>* lines, int64_t n_lines,
                  T start) {
  constexpr int64_t width = Vector<T>::size;
  if (n < width) {
    for (int64_t x = 0; x < n; ++x) {
      T sum = start;
      for (int64_t k = 0; k < n_lines; ++k)
        for (int64_t i = 0; i < lines[k].n_terms; ++i) {
          const Term<T>& term = lines[k].terms[i];
          sum += term.weight * samples[lines[k].offset + term.offset + x];
        }
      out[x] = sum;
    }
    return;
  }
  int64_t x = 0;
  for (; n - x > 4 * width; x += 4 * width)
    sum_block<T, 4>(out, x, x + 3 * width, samples, lines, n_lines, start);
  switch (ceil_divide(n - x, width)) {
    case 1: return sum_block<T, 1>(out, x, n - width, samples, lines, n_lines, start);
    case 2: return sum_block<T, 2>(out, x, n - width, samples, lines, n_lines, start);
    case 3: return sum_block<T, 3>(out, x, n - width, samples, lines, n_lines, start);
    default: return sum_block<T, 4>(out, x, n - width, samples, lines, n_lines, start);
  }
}

// A row split by phase, with zeros on both sides of each phase.
struct Layout {
  int64_t width, phases, left, stride;

  // The layout of a row of which samples -before ... width + after are read.
  Layout(int64_t width, int64_t phases, int64_t before, int64_t after)
      : width(width), phases(phases), left(ceil_divide(std::max<int64_t>(before, 0), phases)) {
    const int64_t samples = ceil_divide(ceil_divide(width, phases), kGroup) * kGroup;
    stride = left + samples + ceil_divide(std::max<int64_t>(after, 0), phases) + 1;
  }
  int64_t size() const { return phases * stride; }
  int64_t count(int64_t phase) const { return ceil_divide(width - phase, phases); }
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

  template <Mask mask>
  void apply(T* x, uint8_t* bits) const {
    constexpr int n = kGroup / 4;
    const T below = gain * slope;
    const T limit = clamp < T(0) ? std::numeric_limits<T>::infinity() : clamp;
    int codes[n] = {};
    if (mask == Mask::kRead)
      for (int i = 0; i < n; ++i) codes[i] = bits[i];
    for (int part = 0; part < 4; ++part, x += n)
      for (int i = 0; i < n; ++i) {
        if (mask == Mask::kRead) {
          const int code = codes[i] >> (2 * part);
          const T bent = x[i] * ((code & 1) != 0 ? below : gain);
          x[i] = (code & 2) != 0 ? T(0) : bent;
        } else {
          // Comparisons are false for NaN, which so passes through.
          const T bent = x[i] * (x[i] > T(0) ? gain : below);
          if (mask == Mask::kWrite) {
            const int clamped = (bent > limit ? 2 : 0) | (bent < -limit ? 2 : 0);
            codes[i] |= ((x[i] > T(0) ? 0 : 1) | clamped) << (2 * part);
          }
          const T low = bent < -limit ? -limit : bent;
          x[i] = low > limit ? limit : low;
        }
      }
    if (mask == Mask::kWrite)
      for (int i = 0; i < n; ++i) bits[i] = static_cast<uint8_t>(codes[i]);
  }
};

struct Sizes {
  int64_t up, down;
  int64_t up_offset_y, up_offset_x;      // tap k of raised sample i meets sample (i + k - offset) / up
  int64_t down_offset_y, down_offset_x;  // tap k of output j meets raised sample down j + k + offset
  int64_t in_height, in_width, mid_height, mid_width, out_height, out_width;
};

// A filter: (taps,) along both axes, one after the other, or (taps, taps) at once.
template <typename T>
struct Filter {
  const T* weights;
  int64_t taps;
  bool radial;
};

template <typename T>
class Plane {
 public:
  Plane(const Sizes& s, Filter<T> up, Filter<T> down, const Bend<T>& bend, Mask mode)
      : s_(s), up_(up), down_(down), bend_(bend), mode_(mode),
        phases_(std::lcm(s.up, s.down)),
        in_(s.in_width, phases_ / s.up, ceil_divide(s.up_offset_x, s.up),
            ceil_divide(s.mid_width + up.taps - s.up_offset_x, s.up) - s.in_width),
        mid_(s.mid_width, phases_, -s.down_offset_x,
             s.down * s.out_width + down.taps + s.down_offset_x - s.mid_width),
        out_(s.out_width, phases_ / s.down, 0, 0),
        in_rows_(up.radial ? ceil_divide(up.taps, s.up) + 1 : 1),
        in_buffer_(in_rows_ * in_.size()),
        mid_buffer_((down.radial ? down.taps : 1) * mid_.size()),
        out_buffer_((down.radial ? 0 : down.taps) * out_.size()),
        line_(std::max(s.in_width, s.out_width)),
        raising_(phases_ * (up.radial ? up.taps : 1)),
        lowering_(out_.phases * (down.radial ? down.taps : 1)),
        column_(std::max(up.taps, down.taps)), lines_(column_.size()) {
    for (size_t i = 0; i < raising_.size(); ++i) {
      const int64_t p = i % phases_, row = i / phases_;
      for (int64_t k = first_tap(p, s.up_offset_x); k < up.taps; k += s.up)
        raising_[i].push_back({in_.at(floor_divide(p + k - s.up_offset_x, s.up)),
                               up.weights[row * up.taps + k]});
    }
    for (size_t i = 0; i < lowering_.size(); ++i) {
      const int64_t p = i % out_.phases, row = i / out_.phases;
      for (int64_t k = 0; k < down.taps; ++k)
        lowering_[i].push_back(
            {mid_.at(s.down * p + k + s.down_offset_x), down.weights[row * down.taps + k]});
    }
  }

  // in (in_height, in_width), out (out_height, out_width), bits (mid_height, n_bytes) or null.
  void run(const T* in, T bias, T* out, uint8_t* bits, int64_t n_bytes) {
    in_ready_ = 0;
    int64_t ready = 0;
    for (int64_t j = 0; j < s_.out_height; ++j) {
      const int64_t first = s_.down * j + s_.down_offset_y;
      const int64_t end = std::min(first + down_.taps, s_.mid_height);
      for (; ready < end; ++ready) {
        T* row = mid_buffer_.data() + mid_row(ready);
        raise(in, bias, ready, row);
        if (mode_ == Mask::kNone) bend_row<Mask::kNone>(row, nullptr);
        if (mode_ == Mask::kWrite) bend_row<Mask::kWrite>(row, bits + ready * n_bytes);
        if (mode_ == Mask::kRead) bend_row<Mask::kRead>(row, bits + ready * n_bytes);
        if (!down_.radial) lower_row(row, out_buffer_.data() + out_row(ready));
      }
      lower(first, end, out + j * s_.out_width);
    }
  }

 private:
  using Terms = std::vector<Term<T>>;

  // Where rows stand in the buffers that hold the last few of them.
  int64_t in_row(int64_t y) const { return y % in_rows_ * in_.size(); }
  int64_t mid_row(int64_t i) const { return down_.radial ? i % down_.taps * mid_.size() : 0; }
  int64_t out_row(int64_t i) const { return i % down_.taps * out_.size(); }

  static Line<T> line_of(int64_t offset, const Terms& terms) {
    return {offset, terms.data(), static_cast<int64_t>(terms.size())};
  }

  // The smallest tap k for which (i + k - offset) / up is whole: the others meet inserted zeros.
  int64_t first_tap(int64_t i, int64_t offset) const { return modulo(offset - i, s_.up); }

  // Copy a line of the input into a row split by phase.
  void split(const T* line, T bias, T* row) const {
    for (int64_t p = 0; p < in_.phases; ++p) {
      T* to = row + p * in_.stride + in_.left;
      for (int64_t m = 0; m < in_.count(p); ++m) to[m] = line[m * in_.phases + p] + bias;
    }
  }

  // Row i at the raised rate, from the rows of the input that its column of taps meets.
  void raise(const T* in, T bias, int64_t i, T* row) {
    const int64_t tap = first_tap(i, s_.up_offset_y);
    const int64_t first = floor_divide(i + tap - s_.up_offset_y, s_.up);
    const int64_t begin = std::max<int64_t>(first, 0);
    const int64_t end = std::min(first + ceil_divide(up_.taps - tap, s_.up), s_.in_height);
    const int64_t shift = tap - first * s_.up;  // tap y up + shift weighs row y
    if (up_.radial)
      for (in_ready_ = std::max(in_ready_, begin); in_ready_ < end; ++in_ready_)
        split(in + in_ready_ * s_.in_width, bias, in_buffer_.data() + in_row(in_ready_));
    else
      merge(in, bias, begin, end, shift);
    for (int64_t p = 0; p < phases_; ++p) {
      int64_t n = 0;
      if (up_.radial)
        for (int64_t y = begin; y < end; ++y)
          lines_[n++] = line_of(in_row(y), raising_[(y * s_.up + shift) * phases_ + p]);
      else
        lines_[n++] = line_of(0, raising_[p]);
      weighted_sum(row + p * mid_.stride + mid_.left, mid_.count(p), in_buffer_.data(),
                   lines_.data(), n, T(0));
    }
  }

  // The column's sum over rows begin ... end of the input.
  void merge(const T* in, T bias, int64_t begin, int64_t end, int64_t shift) {
    const int64_t n = std::max<int64_t>(end - begin, 0);
    T weight = 0;
    for (int64_t k = 0; k < n; ++k) {
      column_[k] = {(begin + k) * s_.in_width, up_.weights[(begin + k) * s_.up + shift]};
      weight += column_[k].weight;
    }
    // Only rows inside the picture have a bias, so its share is that of their weights.
    T* to = in_.phases == 1 ? in_buffer_.data() + in_.left : line_.data();
    const Line<T> line{0, column_.data(), n};
    weighted_sum(to, s_.in_width, in, &line, 1, bias * weight);
    if (in_.phases > 1) split(to, T(0), in_buffer_.data());
  }

  // The nonlinearity, or its slopes, on a row at the raised rate.
  template <Mask mask>
  void bend_row(T* row, uint8_t* bits) const {
    for (int64_t p = 0; p < phases_; ++p)
      for (int64_t m = 0, n = mid_.count(p); m < n; m += kGroup, bits += kGroup / 4)
        bend_.template apply<mask>(row + p * mid_.stride + mid_.left + m, bits);
  }

  // A row at the raised rate, filtered and decimated along itself.
  void lower_row(const T* row, T* to) {
    for (int64_t p = 0; p < out_.phases; ++p) {
      const Line<T> line = line_of(0, lowering_[p]);
      weighted_sum(to + p * out_.stride, out_.count(p), row, &line, 1, T(0));
    }
  }

  // One row of the output, from the rows first ... end at the raised rate.
  void lower(int64_t first, int64_t end, T* out) {
    const int64_t begin = std::max<int64_t>(first, 0);
    const int64_t n = std::max<int64_t>(end - begin, 0);
    for (int64_t p = 0; p < out_.phases; ++p) {
      T* to = out_.phases == 1 ? out : line_.data();
      if (down_.radial) {
        for (int64_t i = begin; i < end; ++i)
          lines_[i - begin] = line_of(mid_row(i), lowering_[(i - first) * out_.phases + p]);
        weighted_sum(to, out_.count(p), mid_buffer_.data(), lines_.data(), n, T(0));
      } else {
        for (int64_t i = begin; i < end; ++i)
          column_[i - begin] = {out_row(i), down_.weights[i - first]};
        const Line<T> line{p * out_.stride, column_.data(), n};
        weighted_sum(to, out_.count(p), out_buffer_.data(), &line, 1, T(0));
      }
      if (out_.phases > 1)
        for (int64_t m = 0; m < out_.count(p); ++m) out[m * out_.phases + p] = to[m];
    }
  }

  const Sizes s_;
  const Filter<T> up_, down_;
  const Bend<T> bend_;
  const Mask mode_;
  const int64_t phases_;
  const Layout in_, mid_, out_;
  const int64_t in_rows_;
  std::vector<T> in_buffer_, mid_buffer_, out_buffer_, line_;
  std::vector<Terms> raising_, lowering_;  // by row of taps, where there are several, and phase
  Terms column_;
  std::vector<Line<T>> lines_;
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

// One pass over a batch (N, C, H, W). `mask` (N C, mid height, bytes) is written or read; the
// filters carry their gain; `sizes` are the fields of Sizes in their order.
at::Tensor filtered_lrelu(const at::Tensor& input, const std::optional<at::Tensor>& bias,
                          const std::optional<at::Tensor>& mask, const at::Tensor& up_filter,
                          const at::Tensor& down_filter, at::IntArrayRef sizes, double gain,
                          double slope, double clamp, bool write) {
  TORCH_CHECK(input.dim() == 4 && input.is_contiguous() && sizes.size() == 12);
  const Sizes s{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4],  sizes[5],
                sizes[6], sizes[7], sizes[8], sizes[9], sizes[10], sizes[11]};
  const int64_t channels = input.size(1), planes = input.size(0) * channels;
  TORCH_CHECK(input.size(2) == s.in_height && input.size(3) == s.in_width);
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
    const scalar_t* biases = bias ? bias->const_data_ptr<scalar_t>() : nullptr;
    scalar_t* out = output.mutable_data_ptr<scalar_t>();
    uint8_t* bits = mask ? mask->mutable_data_ptr<uint8_t>() : nullptr;
    // Planes share nothing, so the result does not depend on the number of threads.
    at::parallel_for(0, planes, 1, [&](int64_t begin, int64_t end) {
      Plane<scalar_t> plane(s, up, down, bend, mode);
      for (int64_t i = begin; i < end; ++i)
        plane.run(in + i * s.in_height * s.in_width, biases ? biases[i % channels] : scalar_t(0),
                  out + i * s.out_height * s.out_width,
                  bits ? bits + i * s.mid_height * bytes : nullptr, bytes);
    });
  });
  return output;
}

}  // namespace

TORCH_LIBRARY(cellgen_bench, library) {
  library.def("mask_bytes(int width, int phases) -> int", &mask_bytes);
  library.def(
      "filtered_lrelu(Tensor input, Tensor? bias, Tensor(a!)? mask, Tensor up_filter, "
      "Tensor down_filter, int[] sizes, float gain, float slope, float clamp, bool write) "
      "-> Tensor");
  library.impl("filtered_lrelu", c10::DispatchKey::CPU, &filtered_lrelu);
}
