// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-expand,canonicalize,cse))" --split-input-file | FileCheck %s

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// The three share the maximum, the exponentials and their sum; one division a row.
// CHECK-LABEL: loss.program @all(
// CHECK-SAME: %[[X:[a-z0-9]*]]:
// CHECK: %[[M:.*]] = loss.reduce {{ *}}maxnum %[[X]] over "class"
// CHECK: %[[MB:.*]] = loss.broadcast %[[M]]
// CHECK: %[[D:.*]] = arith.subf %[[X]], %[[MB]]
// CHECK: %[[E:.*]] = math.exp %[[D]]
// CHECK: %[[S:.*]] = loss.reduce {{ *}}sum %[[E]] over "class"
// CHECK-NOT: math.exp
// CHECK: arith.divf {{.*}}, %[[S]] : tensor<?xf64
// CHECK: arith.mulf %[[E]]
// CHECK: %[[L:.*]] = math.log %[[S]] : tensor<?xf64
// CHECK: %[[LB:.*]] = loss.broadcast %[[L]]
// CHECK: arith.subf %[[D]], %[[LB]]
// CHECK: arith.addf %[[M]], %[[L]] : tensor<?xf64
// CHECK-NOT: loss.{{(log_)?}}softmax
// CHECK: loss.yield
loss.program @all(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = loss.log_softmax %x over "class" : tensor<?x?xf64, #bc>
  %2 = loss.logsumexp %x over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %3 = arith.mulf %0, %1 : tensor<?x?xf64, #bc>
  %4 = loss.reduce max %3 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %5 = arith.addf %4, %2 : tensor<?xf64, #b>
  loss.yield %5 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// A softmax of a softmax has parts of its own.
// CHECK-LABEL: loss.program @nested(
// CHECK-COUNT-2: loss.reduce {{ *}}maxnum
// CHECK-NOT: loss.softmax
// CHECK: loss.yield
loss.program @nested(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = loss.softmax %0 over "class" : tensor<?x?xf64, #bc>
  %2 = loss.reduce max %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>

// What pow(x, -0.5) is simplified to has no vector function of its own.
// CHECK-LABEL: loss.program @rsqrt(
// CHECK: %[[ROOT:.*]] = math.sqrt
// CHECK: arith.divf %{{.*}}, %[[ROOT]]
// CHECK-NOT: math.rsqrt
loss.program @rsqrt(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.rsqrt %x : tensor<?x?xf64, #bc>
  loss.yield %0 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>

// Functions without vector code: exprel by one exponential, those of Stirling's formula by
// polynomials and, below 1, logarithms.
// CHECK-LABEL: loss.program @functions(
// CHECK: math.expm1
// CHECK: math.log1p
// CHECK-NOT: loss.{{exprel|stirling_error|gamma_entropy}}
// CHECK: loss.yield
loss.program @functions(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.exprel %x : tensor<?x?xf64, #bc>
  %1 = loss.stirling_error %0 : tensor<?x?xf64, #bc>
  %2 = loss.gamma_entropy %1 : tensor<?x?xf64, #bc>
  loss.yield %2 : tensor<?x?xf64, #bc>
}
