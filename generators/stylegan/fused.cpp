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

// One term of a weighted sum of rows.
template <typename T>
struct Term {
  const T* row;
  T weight;
};

template <typename T, int N>
inline void sum_block(T* out, int64_t x, const Term<T>* terms, int64_t n_terms, T start) {
  using V = typename Vector<T>::type;
  V sums[N];
  for (int i = 0; i < N; ++i) sums[i] = V{} + start;
  for (int64_t k = 0; k < n_terms; ++k) {
    const T* row = terms[k].row + x;
    for (int i = 0; i < N; ++i) {
      V samples;
      std::memcpy(&samples, row + i * Vector<T>::size, sizeof(V));
      sums[i] += samples * terms[k].weight;
    }
  }
  std::memcpy(out + x, sums, sizeof(sums));
}

// out[x] = start + sum over terms of weight * row[x], for 0 <= x < n; nothing else is touched.
template <typename T>
void weighted_sum(T* out, int64_t n, const Term<T>* terms, int64_t n_terms, T start) {
  constexpr int64_t width = Vector<T>::size;
  if (n < width) {
    for (int64_t x = 0; x < n; ++x) {
      T sum = start;
      for (int64_t k = 0; k < n_terms; ++k) sum += terms[k].weight * terms[k].row[x];
      out[x] = sum;
    }
    return;
  }
  int64_t x = 0;
  for (; x + 4 * width <= n; x += 4 * width) sum_block<T, 4>(out, x, terms, n_terms, start);
  for (; x + width <= n; x += width) sum_block<T, 1>(out, x, terms, n_terms, start);
  // The last block overlaps the one before, and writes the same values there.
  if (x < n) sum_block<T, 1>(out, n - width, terms, n_terms, start);
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

// Two bits a sample: 1 where the value was not positive, 2 where it was clamped.
template <typename T>
struct Slopes {
  T gain, slope, clamp;  // no clamping where clamp < 0
  enum Mode { kForget, kWrite, kRead } mode;

  void apply(T* x, uint8_t* bits) const {
    constexpr int64_t n = kGroup / 4;
    if (mode == kRead) {
      for (int64_t part = 0; part < 4; ++part)
        for (int64_t i = 0; i < n; ++i) {
          const int code = bits[i] >> (2 * part);
          const T value = x[part * n + i] * ((code & 1) ? gain * slope : gain);
          x[part * n + i] = (code & 2) ? T(0) : value;
        }
      return;
    }
    int codes[n] = {};
    for (int64_t part = 0; part < 4; ++part)
      for (int64_t i = 0; i < n; ++i) {
        const T value = x[part * n + i];
        // Comparisons are false for NaN, which so passes through.
        const T bent = value * (value > T(0) ? gain : gain * slope);
        T result = bent;
        if (clamp >= T(0)) {
          result = result > clamp ? clamp : result;
          result = result < -clamp ? -clamp : result;
        }
        const int code = (value > T(0) ? 0 : 1) | (result != bent && bent == bent ? 2 : 0);
        codes[i] |= code << (2 * part);
        x[part * n + i] = result;
      }
    if (mode == kWrite)
      for (int64_t i = 0; i < n; ++i) bits[i] = static_cast<uint8_t>(codes[i]);
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
  Plane(const Sizes& s, Filter<T> up, Filter<T> down, const Slopes<T>& slopes)
      : s_(s), up_(up), down_(down), slopes_(slopes),
        phases_(std::lcm(s.up, s.down)),
        in_(s.in_width, phases_ / s.up, ceil_divide(s.up_offset_x, s.up),
            ceil_divide(s.mid_width + up.taps - s.up_offset_x, s.up) - s.in_width),
        mid_(s.mid_width, phases_, -s.down_offset_x,
             s.down * s.out_width + down.taps + s.down_offset_x - s.mid_width),
        out_(s.out_width, phases_ / s.down, 0, 0),
        in_rows_(up.radial ? ceil_divide(up.taps, s.up) + 1 : 1),
        mid_rows_(down.taps),
        in_buffer_(in_rows_ * in_.size()),
        mid_buffer_((down.radial ? mid_rows_ : 1) * mid_.size()),
        out_buffer_((down.radial ? 1 : mid_rows_ + 1) * out_.size()),
        line_(std::max(s.in_width, s.out_width)),
        terms_(std::max(up.taps * up.taps, down.taps * down.taps)) {}

  // in (in_height, in_width), out (out_height, out_width), mask (mid_height, mask_bytes) or null.
  void run(const T* in, T bias, T* out, uint8_t* mask, int64_t mask_bytes) {
    in_ready_ = 0;
    int64_t ready = 0;
    for (int64_t j = 0; j < s_.out_height; ++j) {
      const int64_t first = s_.down * j + s_.down_offset_y;
      const int64_t end = std::min(first + down_.taps, s_.mid_height);
      for (; ready < end; ++ready) {
        T* row = mid_row(ready);
        raise(in, bias, ready, row);
        bend(row, mask == nullptr ? nullptr : mask + ready * mask_bytes);
        if (!down_.radial) lower_row(row, out_row(ready));
      }
      lower(first, end, out + j * s_.out_width);
    }
  }

 private:
  T* mid_row(int64_t i) {
    return mid_buffer_.data() + (down_.radial ? i % mid_rows_ : 0) * mid_.size();
  }
  T* out_row(int64_t i) { return out_buffer_.data() + (i % mid_rows_) * out_.size(); }
  T* in_row(int64_t y) { return in_buffer_.data() + (y % in_rows_) * in_.size(); }

  // Copy a line into a row split by phase.
  void split(const T* line, T bias, T* row) const {
    for (int64_t p = 0; p < in_.phases; ++p) {
      T* to = row + p * in_.stride + in_.left;
      for (int64_t m = 0; m < in_.count(p); ++m) to[m] = line[m * in_.phases + p] + bias;
    }
  }

  // Taps of raised row i: the first is the smallest k for which (i + k - offset) / up is whole.
  int64_t first_tap(int64_t i, int64_t offset) const { return modulo(offset - i, s_.up); }

  // Row i at the raised rate, from the rows of the input.
  void raise(const T* in, T bias, int64_t i, T* row) {
    if (up_.radial) return raise_radial(in, bias, i, row);
    int64_t n = 0;
    T weight = 0;
    for (int64_t k = first_tap(i, s_.up_offset_y); k < up_.taps; k += s_.up) {
      const int64_t y = floor_divide(i + k - s_.up_offset_y, s_.up);
      if (y < 0 || y >= s_.in_height) continue;
      terms_[n++] = {in + y * s_.in_width, up_.weights[k]};
      weight += up_.weights[k];
    }
    T* start = in_buffer_.data();
    // Only rows inside the picture have a bias, so its share is that of their weights.
    if (in_.phases == 1) {
      weighted_sum(start + in_.left, s_.in_width, terms_.data(), n, bias * weight);
    } else {
      weighted_sum(line_.data(), s_.in_width, terms_.data(), n, bias * weight);
      split(line_.data(), T(0), start);
    }
    for (int64_t p = 0; p < phases_; ++p) {
      n = add_raising(start, up_.weights, p, 0);
      weighted_sum(row + p * mid_.stride + mid_.left, mid_.count(p), terms_.data(), n, T(0));
    }
  }

  void raise_radial(const T* in, T bias, int64_t i, T* row) {
    const int64_t first = first_tap(i, s_.up_offset_y);
    const int64_t last = floor_divide(i + up_.taps - 1 - s_.up_offset_y, s_.up);
    const int64_t from = floor_divide(i + first - s_.up_offset_y, s_.up);
    in_ready_ = std::max({in_ready_, from, int64_t(0)});
    for (; in_ready_ <= std::min(last, s_.in_height - 1); ++in_ready_)
      split(in + in_ready_ * s_.in_width, bias, in_row(in_ready_));
    for (int64_t p = 0; p < phases_; ++p) {
      int64_t n = 0;
      for (int64_t k = first; k < up_.taps; k += s_.up) {
        const int64_t y = floor_divide(i + k - s_.up_offset_y, s_.up);
        if (y < 0 || y >= s_.in_height) continue;
        n = add_raising(in_row(y), up_.weights + k * up_.taps, p, n);
      }
      weighted_sum(row + p * mid_.stride + mid_.left, mid_.count(p), terms_.data(), n, T(0));
    }
  }

  // Add the terms of phase p of a raised row from one row of the input.
  int64_t add_raising(const T* row, const T* weights, int64_t p, int64_t n) {
    for (int64_t k = first_tap(p, s_.up_offset_x); k < up_.taps; k += s_.up)
      terms_[n++] = {row + in_.at(floor_divide(p + k - s_.up_offset_x, s_.up)), weights[k]};
    return n;
  }

  // The nonlinearity, or its slopes, on a row at the raised rate.
  void bend(T* row, uint8_t* bits) const {
    for (int64_t p = 0; p < phases_; ++p)
      for (int64_t m = 0; m < mid_.count(p); m += kGroup) {
        slopes_.apply(row + p * mid_.stride + mid_.left + m, bits);
        if (bits != nullptr) bits += kGroup / 4;
      }
  }

  // Add the terms of phase p of an output row from one row at the raised rate.
  int64_t add_lowering(const T* row, const T* weights, int64_t p, int64_t n) {
    for (int64_t k = 0; k < down_.taps; ++k)
      terms_[n++] = {row + mid_.at(s_.down * p + k + s_.down_offset_x), weights[k]};
    return n;
  }

  void lower_row(const T* row, T* to) {
    for (int64_t p = 0; p < out_.phases; ++p) {
      const int64_t n = add_lowering(row, down_.weights, p, 0);
      weighted_sum(to + p * out_.stride, out_.count(p), terms_.data(), n, T(0));
    }
  }

  // One row of the output, from the rows first ... end at the raised rate.
  void lower(int64_t first, int64_t end, T* out) {
    for (int64_t p = 0; p < out_.phases; ++p) {
      int64_t n = 0;
      for (int64_t i = std::max<int64_t>(first, 0); i < end; ++i) {
        const int64_t k = i - first;
        if (down_.radial)
          n = add_lowering(mid_row(i), down_.weights + k * down_.taps, p, n);
        else
          terms_[n++] = {out_row(i) + p * out_.stride, down_.weights[k]};
      }
      T* to = out_.phases == 1 ? out : line_.data();
      weighted_sum(to, out_.count(p), terms_.data(), n, T(0));
      if (out_.phases > 1)
        for (int64_t m = 0; m < out_.count(p); ++m) out[m * out_.phases + p] = to[m];
    }
  }

  const Sizes s_;
  const Filter<T> up_, down_;
  const Slopes<T> slopes_;
  const int64_t phases_;
  const Layout in_, mid_, out_;
  const int64_t in_rows_, mid_rows_;
  std::vector<T> in_buffer_, mid_buffer_, out_buffer_, line_;
  std::vector<Term<T>> terms_;
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
    using Mode = typename Slopes<scalar_t>::Mode;
    const Mode mode = !mask ? Mode::kForget : write ? Mode::kWrite : Mode::kRead;
    const Slopes<scalar_t> slopes{scalar_t(gain), scalar_t(slope), scalar_t(clamp), mode};
    const auto up = filter_of<scalar_t>(up_filter), down = filter_of<scalar_t>(down_filter);
    const scalar_t* in = input.const_data_ptr<scalar_t>();
    const scalar_t* biases = bias ? bias->const_data_ptr<scalar_t>() : nullptr;
    scalar_t* out = output.mutable_data_ptr<scalar_t>();
    uint8_t* bits = mask ? mask->mutable_data_ptr<uint8_t>() : nullptr;
    // Planes share nothing, so the result does not depend on the number of threads.
    at::parallel_for(0, planes, 1, [&](int64_t begin, int64_t end) {
      Plane<scalar_t> plane(s, up, down, slopes);
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
