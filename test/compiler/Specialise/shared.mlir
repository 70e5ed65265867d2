// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-specialise{target=index}))" | FileCheck %s

// What is used many times is gathered once: sunk use by use, the last line would become 2^40 operations.

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: loss.program @f(
// CHECK: loss.gather %{{.*}} at
// CHECK-NOT: loss.gather
// CHECK-COUNT-41: arith.mulf
// The last one is by the one-hot factor 1.
// CHECK-NOT: arith.mulf
// CHECK: loss.yield
loss.program @f(%x0: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %x1 = arith.mulf %x0, %x0 : tensor<?x?xf64, #bc>
  %x2 = arith.mulf %x1, %x1 : tensor<?x?xf64, #bc>
  %x3 = arith.mulf %x2, %x2 : tensor<?x?xf64, #bc>
  %x4 = arith.mulf %x3, %x3 : tensor<?x?xf64, #bc>
  %x5 = arith.mulf %x4, %x4 : tensor<?x?xf64, #bc>
  %x6 = arith.mulf %x5, %x5 : tensor<?x?xf64, #bc>
  %x7 = arith.mulf %x6, %x6 : tensor<?x?xf64, #bc>
  %x8 = arith.mulf %x7, %x7 : tensor<?x?xf64, #bc>
  %x9 = arith.mulf %x8, %x8 : tensor<?x?xf64, #bc>
  %x10 = arith.mulf %x9, %x9 : tensor<?x?xf64, #bc>
  %x11 = arith.mulf %x10, %x10 : tensor<?x?xf64, #bc>
  %x12 = arith.mulf %x11, %x11 : tensor<?x?xf64, #bc>
  %x13 = arith.mulf %x12, %x12 : tensor<?x?xf64, #bc>
  %x14 = arith.mulf %x13, %x13 : tensor<?x?xf64, #bc>
  %x15 = arith.mulf %x14, %x14 : tensor<?x?xf64, #bc>
  %x16 = arith.mulf %x15, %x15 : tensor<?x?xf64, #bc>
  %x17 = arith.mulf %x16, %x16 : tensor<?x?xf64, #bc>
  %x18 = arith.mulf %x17, %x17 : tensor<?x?xf64, #bc>
  %x19 = arith.mulf %x18, %x18 : tensor<?x?xf64, #bc>
  %x20 = arith.mulf %x19, %x19 : tensor<?x?xf64, #bc>
  %x21 = arith.mulf %x20, %x20 : tensor<?x?xf64, #bc>
  %x22 = arith.mulf %x21, %x21 : tensor<?x?xf64, #bc>
  %x23 = arith.mulf %x22, %x22 : tensor<?x?xf64, #bc>
  %x24 = arith.mulf %x23, %x23 : tensor<?x?xf64, #bc>
  %x25 = arith.mulf %x24, %x24 : tensor<?x?xf64, #bc>
  %x26 = arith.mulf %x25, %x25 : tensor<?x?xf64, #bc>
  %x27 = arith.mulf %x26, %x26 : tensor<?x?xf64, #bc>
  %x28 = arith.mulf %x27, %x27 : tensor<?x?xf64, #bc>
  %x29 = arith.mulf %x28, %x28 : tensor<?x?xf64, #bc>
  %x30 = arith.mulf %x29, %x29 : tensor<?x?xf64, #bc>
  %x31 = arith.mulf %x30, %x30 : tensor<?x?xf64, #bc>
  %x32 = arith.mulf %x31, %x31 : tensor<?x?xf64, #bc>
  %x33 = arith.mulf %x32, %x32 : tensor<?x?xf64, #bc>
  %x34 = arith.mulf %x33, %x33 : tensor<?x?xf64, #bc>
  %x35 = arith.mulf %x34, %x34 : tensor<?x?xf64, #bc>
  %x36 = arith.mulf %x35, %x35 : tensor<?x?xf64, #bc>
  %x37 = arith.mulf %x36, %x36 : tensor<?x?xf64, #bc>
  %x38 = arith.mulf %x37, %x37 : tensor<?x?xf64, #bc>
  %x39 = arith.mulf %x38, %x38 : tensor<?x?xf64, #bc>
  %x40 = arith.mulf %x39, %x39 : tensor<?x?xf64, #bc>
  %t = arith.mulf %x40, %y : tensor<?x?xf64, #bc>
  %r = loss.reduce sum %t over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %r : tensor<?xf64, #b>
}
