#include "runtime/module/AxisBinding.h"

#include <gtest/gtest.h>

using namespace loss::runtime;

namespace {

/// A module of which only the axes matter.
struct Axes {
  Axes(std::vector<const char *> names, int32_t classAxis) : names(std::move(names)) {
    module.axis_count = static_cast<uint32_t>(this->names.size());
    module.axes = this->names.data();
    module.class_axis = classAxis;
  }
  std::vector<const char *> names;
  LossModule module = {};
};

TEST(AxisBinding, ClassesAreTheSecondDimension) {
  Axes loss({"batch", "class"}, 1);
  struct Case {
    Shape logits, rows;
    int64_t classes;
  };
  for (const Case &each : {Case{{7}, {}, 7}, {{5, 7}, {5}, 7}, {{2, 7, 3, 4}, {2, 3, 4}, 7}}) {
    AxisBinding binding(loss.module);
    ASSERT_TRUE(binding.bind({0, 1}, each.logits));
    EXPECT_EQ(binding.dimensions(0), each.rows);
    EXPECT_EQ(binding.size(1), each.classes);
    EXPECT_EQ(binding.shapeOf({0, 1}), each.logits);
    EXPECT_EQ(binding.shapeOf({0}), each.rows) << "of class indices";
    EXPECT_TRUE(binding.bind({0, 1}, each.logits));
    EXPECT_TRUE(binding.bind({1}, {7}));
    EXPECT_FALSE(binding.bind({1}, {8}));
  }
  AxisBinding binding(loss.module);
  ASSERT_TRUE(binding.bind({0, 1}, {2, 7, 3, 4}));
  EXPECT_EQ(binding.orderOf({0, 1}), (std::vector<int64_t>{0, 2, 3, 1}));
  EXPECT_EQ(binding.orderOf({0}), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(binding.sizes(), (std::vector<int64_t>{24, 7}));
  AxisBinding scalar(loss.module);
  EXPECT_FALSE(scalar.bind({0, 1}, {}));
}

TEST(AxisBinding, TheLastAxisTakesWhatIsLeft) {
  Axes loss({"element"}, -1);
  for (const Shape &shape : {Shape{}, {4}, {2, 3, 4}}) {
    AxisBinding binding(loss.module);
    ASSERT_TRUE(binding.bind({0}, shape));
    EXPECT_EQ(binding.shapeOf({0}), shape);
    EXPECT_FALSE(binding.bind({0}, {9}));
  }
  Axes dice({"batch", "class", "position"}, 1);
  AxisBinding binding(dice.module);
  ASSERT_TRUE(binding.bind({0, 1, 2}, {2, 3, 5, 6}));
  EXPECT_EQ(binding.dimensions(2), (Shape{5, 6}));
  EXPECT_EQ(binding.shapeOf({0, 2}), (Shape{2, 5, 6}));
  EXPECT_EQ(binding.orderOf({0, 1, 2}), (std::vector<int64_t>{0, 1, 2, 3}));
  AxisBinding single(dice.module);
  ASSERT_TRUE(single.bind({0, 1, 2}, {3, 5}));
  EXPECT_EQ(single.shapeOf({0, 2}), (Shape{5})) << "the first axis may be missing";
  EXPECT_EQ(single.size(0), 1);
  AxisBinding few(dice.module);
  EXPECT_FALSE(few.bind({0, 1, 2}, {3}));
}

TEST(AxisBinding, AClassIsOneDimension) {
  Axes loss({"batch", "position", "class"}, 2);
  AxisBinding binding(loss.module);
  EXPECT_FALSE(binding.bind({0, 1, 2}, {2, 3, 4, 5}));
  EXPECT_TRUE(binding.bind({0, 1, 2}, {2, 3, 4}));
}

TEST(AxisBinding, KnownAxesKeepTheirDimensions) {
  Axes loss({"batch", "dim", "other"}, -1);
  AxisBinding binding(loss.module);
  ASSERT_TRUE(binding.bind({0, 1}, {2, 3, 4}));
  EXPECT_FALSE(binding.areBound({1, 2}));
  EXPECT_FALSE(binding.bind({1, 2}, {3, 5, 6})) << "dim is (3, 4)";
  ASSERT_TRUE(binding.bind({1, 2}, {3, 4, 5, 6}));
  EXPECT_EQ(binding.dimensions(2), (Shape{5, 6}));
  EXPECT_EQ(binding.describe({0, 2}), "[batch, other]");
}

} // namespace
