// Strides and types: tiles against plain copies, and the layout of gradients.

#include "OpenLoss.h"
#include "runtime/torch/SlabView.h"

#include <gtest/gtest.h>

using namespace loss::runtime;
using torch::Tensor;

namespace {

/// The view whose first `rows` dimensions are those of the rows.
SlabView viewOf(const Tensor &t, int64_t rows) {
  std::vector<Dimension> outer, inner;
  for (int64_t d = 0; d < t.dim(); ++d)
    (d < rows ? outer : inner).push_back({t.size(d), t.stride(d)});
  return SlabView(t.data_ptr(), t.scalar_type(), outer, inner);
}

/// Layouts of (rows..., slab...), with the number of row dimensions.
std::vector<std::pair<Tensor, int64_t>> layouts(torch::ScalarType type) {
  auto random = [&](std::vector<int64_t> shape) {
    return torch::randint(-100, 100, shape, torch::kDouble).to(type);
  };
  return {{random({37, 5}), 1},
          {random({37, 9}).slice(1, 2, 7), 1},
          {random({5, 37}).t(), 1},
          {random({37, 10}).slice(1, 0, 10, 2), 1},
          {random({3, 40, 19, 1}).permute({0, 2, 3, 1}), 3}, // N, C, H, W
          {random({3, 21, 17, 4}).permute({0, 2, 3, 1}), 3}, // N, C, H, W
          {random({3, 17, 4, 21}), 3},                       // channels last
          {random({3, 17, 8, 21}).slice(2, 1, 5), 3},        // and a part of it
          {random({4, 3, 5, 6}).permute({3, 1, 2, 0}), 2},   // everything turned
          {random({50}), 1},
          {random({100}).slice(0, 0, 100, 2), 1},
          {random({7, 1}).expand({7, 33}), 1},
          {random({33}).expand({7, 33}), 1},
          {random({6, 2, 3}), 0},
          {random({2, 3, 6}).permute({2, 0, 1}), 0}};
}

TEST(SlabView, PacksLikeACopy) {
  torch::manual_seed(21);
  for (auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16, torch::kLong,
                    torch::kInt, torch::kShort, torch::kChar, torch::kByte, torch::kBool})
    for (auto kernelType : {torch::kFloat, torch::kDouble})
      for (const auto &[t, rowDimensions] : layouts(type)) {
        SlabView view = viewOf(t, rowDimensions);
        const int64_t slab = view.slabSize(), rows = t.numel() / slab;
        Tensor expected = t.to(kernelType).contiguous().view({rows, slab});
        for (auto [begin, end] :
             {std::pair<int64_t, int64_t>(0, rows), {rows / 3, rows - rows / 4}}) {
          Tensor tile = torch::full({end - begin + 1, slab}, -7.5, kernelType);
          EXPECT_TRUE(view.pack(begin, end, tile.data_ptr(), kernelType));
          EXPECT_TRUE(torch::equal(tile.slice(0, 0, end - begin), expected.slice(0, begin, end)))
              << type << t.sizes() << t.strides();
          EXPECT_TRUE(tile[end - begin].eq(-7.5).all().item<bool>()) << "behind the tile";
        }
      }
}

TEST(SlabView, UnpacksLikeACopy) {
  torch::manual_seed(22);
  for (auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16})
    for (auto kernelType : {torch::kFloat, torch::kDouble})
      for (const auto &[like, rowDimensions] : layouts(type)) {
        if (!like.is_non_overlapping_and_dense())
          continue;
        Tensor t = torch::full_like(like, -7.5);
        SlabView view = viewOf(t, rowDimensions);
        const int64_t slab = view.slabSize(), rows = t.numel() / slab;
        const int64_t begin = rows / 3, end = rows - rows / 4;
        Tensor tile = torch::randn({end - begin, slab}, kernelType);
        view.unpack(begin, end, tile.data_ptr(), kernelType);
        Tensor seen = t.contiguous().view({rows, slab});
        EXPECT_TRUE(torch::equal(seen.slice(0, begin, end), tile.to(type)));
        EXPECT_TRUE(seen.slice(0, 0, begin).eq(-7.5).all().item<bool>());
        EXPECT_TRUE(seen.slice(0, end).eq(-7.5).all().item<bool>());
      }
}

TEST(SlabView, NoticesIntegersThatDoNotFit) {
  auto packs = [](const Tensor &t, torch::ScalarType type) {
    Tensor tile = torch::empty({t.numel()}, torch::kDouble);
    return viewOf(t, 1).pack(0, t.numel(), tile.data_ptr(), type);
  };
  const int64_t f32 = int64_t(1) << 24, f64 = int64_t(1) << 53;
  const int64_t most = std::numeric_limits<int64_t>::max(), least = -most - 1;
  for (int64_t sign : {1, -1}) {
    EXPECT_TRUE(packs(torch::tensor({sign * f32, sign * 2 * f32}), torch::kFloat));
    EXPECT_FALSE(packs(torch::tensor({sign * f32, sign * (f32 + 1)}), torch::kFloat));
    EXPECT_TRUE(packs(torch::tensor({sign * (f32 + 1), sign * f64}), torch::kDouble));
    EXPECT_FALSE(packs(torch::tensor({sign * (f64 + 1)}), torch::kDouble));
  }
  EXPECT_FALSE(packs(torch::tensor({most}), torch::kDouble));
  EXPECT_TRUE(packs(torch::tensor({least}), torch::kDouble));
  EXPECT_FALSE(packs(torch::tensor({int32_t((1 << 24) + 1)}, torch::kInt), torch::kFloat));
}

TEST(SlabView, IsUsedInPlaceWhereItCan) {
  EXPECT_TRUE(viewOf(torch::zeros({4, 5}), 1).isDirect(torch::kFloat));
  EXPECT_FALSE(viewOf(torch::zeros({4, 5}), 1).isDirect(torch::kDouble));
  EXPECT_TRUE(viewOf(torch::zeros({4, 9}).slice(1, 0, 5), 1).isDirect(torch::kFloat));
  EXPECT_TRUE(viewOf(torch::zeros({5}).expand({4, 5}), 1).isDirect(torch::kFloat));
  EXPECT_FALSE(viewOf(torch::zeros({5, 4}).t(), 1).isDirect(torch::kFloat));
  EXPECT_TRUE(viewOf(torch::zeros({2, 3, 4, 5}), 3).isDirect(torch::kFloat));
  EXPECT_FALSE(viewOf(torch::zeros({2, 5, 3, 4}).permute({0, 2, 3, 1}), 3).isDirect(torch::kFloat));
}

/// Value and gradient of the same numbers in another layout.
void expectLikeContiguous(const CompiledLoss &loss, const Tensor &logits, const Tensor &target) {
  for (Reduction reduction : {Reduction::None, Reduction::Mean}) {
    LossCallOptions options;
    options.reduction = reduction;
    Tensor ours = logits.detach().requires_grad_();
    Tensor plain = logits.contiguous().detach().requires_grad_();
    Tensor value = loss(ours, target, options), expected = loss(plain, target, options);
    EXPECT_TRUE(torch::equal(value, expected));
    Tensor upstream = torch::randn_like(expected);
    Tensor gradient = torch::autograd::grad({value}, {ours}, {upstream})[0];
    Tensor wanted = torch::autograd::grad({expected}, {plain}, {upstream})[0];
    EXPECT_TRUE(torch::equal(gradient, wanted));
    EXPECT_EQ(gradient.strides(), torch::empty_like(logits).strides()) << logits.strides();
  }
}

TEST(Layout, ResultsDoNotDependOnStrides) {
  torch::manual_seed(23);
  CompiledLoss loss = openLoss("c_cross_entropy");
  for (auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    Tensor target = torch::randint(21, {3, 17, 4}, torch::kLong);
    Tensor images = torch::randn({3, 21, 17, 4}, type);
    expectLikeContiguous(loss, images.contiguous(at::MemoryFormat::ChannelsLast), target);
    expectLikeContiguous(loss, torch::randn({3, 17, 4, 21}, type).permute({0, 3, 1, 2}), target);
    expectLikeContiguous(loss, torch::randn({4, 17, 21, 3}, type).permute({3, 2, 1, 0}), target);
    expectLikeContiguous(loss, torch::randn({21, 51}, type).t(), target.view(-1).slice(0, 0, 51));
    expectLikeContiguous(loss, torch::randn({51, 42}, type).slice(1, 0, 42, 2),
                         target.view(-1).slice(0, 0, 51));
    expectLikeContiguous(loss, torch::randn({21}, type).expand({51, 21}),
                         target.view(-1).slice(0, 0, 51));
    // Dense targets in another layout and type.
    Tensor dense = torch::rand({3, 17, 4, 21}, torch::kDouble).permute({0, 3, 1, 2});
    expectLikeContiguous(loss, images, dense);
  }
}

TEST(Layout, NothingLargeIsCopied) {
  // A tile and the gradient are all that is allocated: watched through the largest allocation.
  struct Watch : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void *, int64_t bytes, size_t, size_t, c10::Device) override {
      largest = std::max(largest, bytes);
    }
    bool memoryProfilingEnabled() const override { return true; }
    int64_t largest = 0;
  };
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor target = torch::randint(19, {2, 128, 128}, torch::kLong);
  Tensor images = torch::randn({2, 19, 128, 128});
  const Tensor cases[] = {images, images.to(torch::kHalf),
                          torch::randn({128, 19, 128, 2}).permute({3, 1, 0, 2})};
  for (const Tensor &logits : cases) {
    auto watch = std::make_shared<Watch>();
    c10::ThreadLocalDebugInfo::_push(c10::DebugInfoKind::PROFILER_STATE, watch);
    Tensor value = loss(logits, target);
    c10::ThreadLocalDebugInfo::_pop(c10::DebugInfoKind::PROFILER_STATE);
    EXPECT_LT(watch->largest, target.nbytes() + 4096) << logits.scalar_type();
  }
}

TEST(Layout, MoreElementsThan32BitsCount) {
  // One number seen 2^31 + 7 times.
  const int64_t count = (int64_t(1) << 31) + 7;
  CompiledLoss error = openLoss("square_error");
  LossCallOptions options;
  options.reduction = Reduction::Sum;
  Tensor x = torch::full({}, 2.0f).expand({count}), y = torch::full({}, 1.0f).expand({count});
  EXPECT_EQ(error(x, y, options).item<float>(), static_cast<float>(count));

  // Rows 2^30 elements apart: pages that nobody touches take no memory.
  const int64_t apart = int64_t(1) << 30;
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor target = torch::tensor({int64_t(0), int64_t(1), int64_t(2)});
  for (auto type : {torch::kFloat, torch::kHalf}) {
    Tensor logits = torch::empty({2 * apart + 8}, type).as_strided({3, 5}, {apart, 1});
    Tensor data = torch::randn({3, 5}).to(type);
    logits.copy_(data);
    EXPECT_TRUE(torch::equal(loss(logits, target), loss(data, target)));
    Tensor turned = torch::empty({4 * apart + 8}, type).as_strided({3, 5}, {1, apart});
    turned.copy_(data);
    EXPECT_TRUE(torch::equal(loss(turned, target), loss(data, target)));
  }
}

TEST(Layout, HalfGradientsSurviveALossScale) {
  torch::manual_seed(24);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor data = torch::randn({4096, 100});
  Tensor target = torch::randint(100, {4096}, torch::kLong);
  Tensor half = data.to(torch::kHalf).requires_grad_();
  Tensor exact = half.detach().to(torch::kDouble).requires_grad_();
  (loss(half, target) * 1024).backward();
  (loss(exact, target) * 1024).backward();
  // A gradient of 1/4096 of a small probability is nothing in half precision before it is scaled.
  Tensor error = (half.grad().to(torch::kDouble) - exact.grad()).abs();
  // Two roundings of half precision, and the subnormals' step of the unscaled numbers.
  Tensor bound = exact.grad().abs() * std::ldexp(1.0, -10) + std::ldexp(1.0, -24);
  EXPECT_TRUE(error.le(bound).all().item<bool>()) << (error - bound).max();
}

TEST(Layout, ThreadsDoNotChangeTiledOrSummedResults) {
  torch::manual_seed(25);
  const int before = at::get_num_threads();
  CompiledLoss loss = openLoss("c_cross_entropy"), square = openLoss("weighted_square");
  Tensor images = torch::randn({3, 19, 64, 65}).to(torch::kBFloat16);
  Tensor target = torch::randint(19, {3, 64, 65}, torch::kLong);
  Tensor scores = torch::randn({5003, 40}, torch::kDouble);
  Tensor kind = torch::randn({40}, torch::kDouble);
  std::vector<Tensor> seen[3];
  for (int i = 0; i < 3; ++i) {
    at::set_num_threads(std::array{1, 2, 5}[i]);
    Tensor x = images.clone().requires_grad_();
    Tensor value = loss(x, target);
    value.backward();
    Tensor k = kind.clone().requires_grad_();
    Tensor gain = torch::tensor(1.5, torch::kDouble).requires_grad_();
    LossCallOptions options;
    options.inputs = {{"class", k},
                      {"offset", torch::tensor(0.0, torch::kDouble)},
                      {"sample", torch::ones({5003}, torch::kDouble)}};
    options.paramTensors = {{"gain", gain}};
    Tensor sum = square(scores, {}, options);
    sum.backward();
    seen[i] = {value.detach(), x.grad(), sum.detach(), k.grad(), gain.grad()};
  }
  at::set_num_threads(before);
  for (int i = 1; i < 3; ++i)
    for (size_t k = 0; k < seen[0].size(); ++k)
      EXPECT_TRUE(torch::equal(seen[0][k], seen[i][k])) << k;
}

} // namespace
