// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-simplify))" --split-input-file | FileCheck %s

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// -log(exp(x) / sum(exp(x))) becomes log_softmax, seen through the broadcast.
// CHECK-LABEL: loss.program @crossEntropy
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input"
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "target"
// CHECK-NEXT: %[[L:.*]] = loss.log_softmax %[[X]] over "class"
// CHECK-NEXT: %[[T:.*]] = arith.mulf %[[Y]], %[[L]]
// CHECK-NEXT: %[[S:.*]] = loss.reduce {{ *}}sum %[[T]]
// CHECK-NEXT: %[[N:.*]] = arith.negf %[[S]]
// CHECK-NEXT: loss.yield %[[N]]
loss.program @crossEntropy(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                           %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf64, #bc>
  %1 = loss.reduce sum %0 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %2 = loss.broadcast %1 : tensor<?xf64, #b> to tensor<?x?xf64, #bc>
  %3 = math.exp %x : tensor<?x?xf64, #bc>
  %4 = arith.divf %3, %2 : tensor<?x?xf64, #bc>
  %5 = math.log %4 : tensor<?x?xf64, #bc>
  %6 = arith.negf %5 : tensor<?x?xf64, #bc>
  %7 = arith.mulf %y, %6 : tensor<?x?xf64, #bc>
  %8 = loss.reduce sum %7 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %8 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// Constants are seen through broadcasts: log(1 + exp(-x)) * 2 / 4.
// CHECK-LABEL: loss.program @softplus
// CHECK-SAME: %[[X:[a-z0-9]*]]:
// CHECK: arith.constant 5.0{{.*}}e-01
// CHECK: %[[N:.*]] = arith.negf %[[X]]
// CHECK: %[[S:.*]] = loss.softplus %[[N]]
// CHECK: arith.mulf %[[S]]
// CHECK-NOT: arith.mulf
loss.program @softplus(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %one = arith.constant 1.0 : f64
  %two = arith.constant 2.0 : f64
  %four = arith.constant 4.0 : f64
  %ones = loss.broadcast %one : f64 to tensor<?xf64, #b>
  %twos = loss.broadcast %two : f64 to tensor<?xf64, #b>
  %fours = loss.broadcast %four : f64 to tensor<?xf64, #b>
  %0 = arith.negf %x : tensor<?xf64, #b>
  %1 = math.exp %0 : tensor<?xf64, #b>
  %2 = arith.addf %ones, %1 : tensor<?xf64, #b>
  %3 = math.log %2 : tensor<?xf64, #b>
  %4 = arith.mulf %3, %twos : tensor<?xf64, #b>
  %5 = arith.divf %4, %fours : tensor<?xf64, #b>
  loss.yield %5 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// x * 0, x - x and x / x keep their NaN.
// CHECK-LABEL: loss.program @nan
// CHECK: arith.mulf
// CHECK: arith.subf
// CHECK: arith.divf
loss.program @nan(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %zero = arith.constant 0.0 : f64
  %zeros = loss.broadcast %zero : f64 to tensor<?xf64, #b>
  %0 = arith.mulf %x, %zeros : tensor<?xf64, #b>
  %1 = arith.subf %x, %x : tensor<?xf64, #b>
  %2 = arith.divf %x, %x : tensor<?xf64, #b>
  %3 = arith.addf %0, %1 : tensor<?xf64, #b>
  %4 = arith.addf %3, %2 : tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// 1 - softmax stays where its use is linear: expm1 would cost more and give nothing.
// CHECK-LABEL: loss.program @linearUse
// CHECK: loss.softmax
// CHECK-NOT: math.expm1
loss.program @linearUse(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %one = arith.constant 1.0 : f64
  %ones = loss.broadcast %one : f64 to tensor<?x?xf64, #bc>
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = arith.subf %ones, %0 : tensor<?x?xf64, #bc>
  %2 = loss.reduce sum %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// if x > y and true or false then (if true then x else y) else 0
// CHECK-LABEL: loss.program @truth
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "x"
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "y"
// CHECK-NOT: andi
// CHECK-NOT: ori
// CHECK: %[[C:.*]] = arith.cmpf ogt, %[[X]], %[[Y]]
// CHECK-NEXT: %[[S:.*]] = arith.select %[[C]], %[[X]], %{{.*}}
// CHECK-NEXT: loss.yield %[[S]]
loss.program @truth(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"},
                    %y: tensor<?xf64, #b> {loss.kind = "input", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %true = arith.constant true
  %false = arith.constant false
  %zero = arith.constant 0.0 : f64
  %trues = loss.broadcast %true : i1 to tensor<?xi1, #b>
  %falses = loss.broadcast %false : i1 to tensor<?xi1, #b>
  %zeros = loss.broadcast %zero : f64 to tensor<?xf64, #b>
  %0 = arith.cmpf ogt, %x, %y : tensor<?xf64, #b>
  %1 = arith.andi %0, %trues : tensor<?xi1, #b>
  %2 = arith.ori %falses, %1 : tensor<?xi1, #b>
  %3 = arith.select %trues, %x, %y : tensor<?xi1, #b>, tensor<?xf64, #b>
  %4 = arith.select %2, %3, %zeros : tensor<?xi1, #b>, tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// A derivative of 1: if false and abs(x) == 1 / 0 then 0 else x  =  x
// CHECK-LABEL: loss.program @never
// CHECK-SAME: %[[X:[a-z0-9]*]]:
// CHECK-NEXT: loss.yield %[[X]]
loss.program @never(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %false = arith.constant false
  %zero = arith.constant 0.0 : f64
  %falses = loss.broadcast %false : i1 to tensor<?xi1, #b>
  %zeros = loss.broadcast %zero : f64 to tensor<?xf64, #b>
  %0 = arith.cmpf une, %x, %x : tensor<?xf64, #b>
  %1 = arith.andi %falses, %0 : tensor<?xi1, #b>
  %2 = arith.select %1, %zeros, %x : tensor<?xi1, #b>, tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// Functions of constants: lgamma(4) + hypot(3, 4) + sigmoid(0) = log(6) + 5 + 0.5
// CHECK-LABEL: loss.program @constants
// CHECK-SAME: %[[X:[a-z0-9]*]]:
// CHECK-NEXT: %[[C:.*]] = arith.constant 7.29175946922805{{[0-9]*}} : f64
// CHECK-NEXT: %[[B:.*]] = loss.broadcast %[[C]]
// CHECK-NEXT: %[[R:.*]] = arith.mulf %[[X]], %[[B]]
// CHECK-NEXT: loss.yield %[[R]]
loss.program @constants(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %zero = arith.constant 0.0 : f64
  %three = arith.constant 3.0 : f64
  %four = arith.constant 4.0 : f64
  %0 = loss.lgamma %four : f64
  %1 = loss.hypot %three, %four : f64
  %zeros = loss.broadcast %zero : f64 to tensor<?xf64, #b>
  %2 = loss.sigmoid %zeros : tensor<?xf64, #b>
  %3 = arith.addf %0, %1 : f64
  %4 = loss.broadcast %3 : f64 to tensor<?xf64, #b>
  %5 = arith.addf %4, %2 : tensor<?xf64, #b>
  %6 = arith.mulf %x, %5 : tensor<?xf64, #b>
  loss.yield %6 : tensor<?xf64, #b>
}
