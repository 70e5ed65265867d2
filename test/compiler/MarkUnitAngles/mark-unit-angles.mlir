// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-mark-unit-angles))" | FileCheck %s

// Angles that are provably within 1, and some that are not.

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: loss.program @f(
loss.program @f(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                %c: f64 {loss.default = 0.1 : f64, loss.kind = "param", loss.name = "c"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // CHECK: %[[P:.*]] = loss.softmax
  %p = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  // A softmax lies in [0, 1], a sine in [-1, 1].
  // CHECK: %[[S:.*]] = math.sin %[[P]] {loss.unit_angle}
  %s = math.sin %p : tensor<?x?xf64, #bc>
  // CHECK: math.cos %[[S]] {loss.unit_angle}
  %cs = math.cos %s : tensor<?x?xf64, #bc>
  // 1 - p and p * sin(p) stay within 1.
  %one = arith.constant 1.0 : f64
  %wide = loss.broadcast %one : f64 to tensor<?x?xf64, #bc>
  %miss = arith.subf %wide, %p : tensor<?x?xf64, #bc>
  // CHECK: math.sin %{{.*}} {loss.unit_angle}
  %s2 = math.sin %miss : tensor<?x?xf64, #bc>
  %product = arith.mulf %p, %s : tensor<?x?xf64, #bc>
  // CHECK: math.cos %{{.*}} {loss.unit_angle}
  %c2 = math.cos %product : tensor<?x?xf64, #bc>
  // Anything, a sum of two, a parameter, a sum over the classes and an arc tangent may be larger.
  // CHECK: math.sin %{{[^ ]*}} :
  %s3 = math.sin %x : tensor<?x?xf64, #bc>
  %two = arith.addf %p, %s : tensor<?x?xf64, #bc>
  // CHECK: math.sin %{{[^ ]*}} :
  %s4 = math.sin %two : tensor<?x?xf64, #bc>
  // CHECK: math.sin %{{[^ ]*}} :
  %s5 = math.sin %c : f64
  %sum = loss.reduce sum %p over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  // CHECK: math.sin %{{[^ ]*}} :
  %s6 = math.sin %sum : tensor<?xf64, #b>
  %atan = math.atan %x : tensor<?x?xf64, #bc>
  // CHECK: math.cos %{{[^ ]*}} :
  %s7 = math.cos %atan : tensor<?x?xf64, #bc>
  // The maximum over the classes is within the bounds of its operand.
  %max = loss.reduce max %p over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  // CHECK: math.cos %{{.*}} {loss.unit_angle}
  %s8 = math.cos %max : tensor<?xf64, #b>
  loss.yield %s8 : tensor<?xf64, #b>
}
