// RUN: loss-opt %s | loss-opt | FileCheck %s
// RUN: loss-opt %s --mlir-print-op-generic | loss-opt | FileCheck %s

// Every operation of the dialect prints as it is read.

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: loss.program @program
// CHECK-SAME: {loss.kind = "input", loss.name = "x"}
// CHECK-SAME: -> (tensor<?xf64, #loss.axes<batch>> {loss.result = "value"}) attributes {axes = #loss.axes<batch, class>}
loss.program @program(
    %x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
    %t: tensor<?xi64, #b> {loss.kind = "target", loss.name = "t"},
    %c: f64 {loss.kind = "param", loss.name = "c", loss.default = 1.0 : f64})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // CHECK: loss.broadcast %{{.*}} : f64 to tensor<?x?xf64, #loss.axes<batch, class>>
  %wide = loss.broadcast %c : f64 to tensor<?x?xf64, #bc>
  // CHECK: loss.softmax %{{.*}} over "class" : tensor
  %p = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  // CHECK: loss.log_softmax %{{.*}} over "class" : tensor
  %l = loss.log_softmax %wide over "class" : tensor<?x?xf64, #bc>
  // CHECK: loss.logsumexp %{{.*}} over "class" : tensor<?x?xf64, #loss.axes<batch, class>> -> tensor<?xf64, #loss.axes<batch>>
  %z = loss.logsumexp %l over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  // CHECK: loss.one_hot %{{.*}} over "class" : tensor<?xi64, #loss.axes<batch>> -> tensor<?x?xf64
  %h = loss.one_hot %t over "class" : tensor<?xi64, #b> -> tensor<?x?xf64, #bc>
  // CHECK: loss.gather %{{.*}} at %{{.*}} over "class" : tensor<?x?xf64, #loss.axes<batch, class>>, tensor<?xi64, #loss.axes<batch>> -> tensor<?xf64
  %g = loss.gather %p at %t over "class" : tensor<?x?xf64, #bc>, tensor<?xi64, #b> -> tensor<?xf64, #b>
  // CHECK: loss.reduce {{ *}}sum %{{.*}} over "class"
  %s = loss.reduce sum %h over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  // CHECK: loss.reduce {{ *}}max %{{.*}} over "batch" : {{.*}} -> tensor<?xf64, #loss.axes<class>>
  %m = loss.reduce max %h over "batch" : tensor<?x?xf64, #bc> -> tensor<?xf64, #loss.axes<class>>
  // CHECK: loss.axis_size "class" : f64
  %n = loss.axis_size "class" : f64
  // CHECK: loss.sigmoid
  %f0 = loss.sigmoid %n : f64
  // CHECK: loss.log_sigmoid
  %f1 = loss.log_sigmoid %f0 : f64
  // CHECK: loss.sigmoid_slope
  %f1a = loss.sigmoid_slope %f1 : f64
  // CHECK: loss.log1mexp
  %f1b = loss.log1mexp %f1a : f64
  // CHECK: loss.softplus
  %f2 = loss.softplus %f1 : f64
  // CHECK: loss.sign
  %f3 = loss.sign %f2 : f64
  // CHECK: loss.bessel_i0
  %f4 = loss.bessel_i0 %f3 : f64
  // CHECK: loss.bessel_i0e
  %f5 = loss.bessel_i0e %f4 : f64
  // CHECK: loss.bessel_i1
  %f6 = loss.bessel_i1 %f5 : f64
  // CHECK: loss.bessel_i1e
  %f7 = loss.bessel_i1e %f6 : f64
  // CHECK: loss.erfinv
  %f8 = loss.erfinv %f7 : f64
  // CHECK: loss.lgamma
  %f9 = loss.lgamma %f8 : f64
  // CHECK: loss.digamma
  %f10 = loss.digamma %f9 : f64
  // CHECK: loss.trigamma
  %f11 = loss.trigamma %f10 : f64
  // CHECK: loss.tetragamma
  %f14 = loss.tetragamma %f10 : f64
  // CHECK: loss.pentagamma
  %f15 = loss.pentagamma %f10 : f64
  // CHECK: loss.exprel
  %f16 = loss.exprel %f10 : f64
  // CHECK: loss.stirling_error
  %f17 = loss.stirling_error %f10 : f64
  // CHECK: loss.gamma_entropy
  %f18 = loss.gamma_entropy %f10 : f64
  // CHECK: loss.hypot %{{.*}}, %{{.*}} : f64
  %f12 = loss.hypot %f10, %f11 : f64
  // CHECK: loss.xlogy %{{.*}}, %{{.*}} : f64
  %f13 = loss.xlogy %f11, %f12 : f64
  // CHECK: loss.lbeta %{{.*}}, %{{.*}} : f64
  %g14 = loss.lbeta %f11, %f12 : f64
  // CHECK: loss.log_rising_factorial %{{.*}}, %{{.*}} : f64
  %g15 = loss.log_rising_factorial %f11, %f12 : f64
  // CHECK: loss.digamma_difference %{{.*}}, %{{.*}} : f64
  %g16 = loss.digamma_difference %f11, %f12 : f64
  // CHECK: loss.trigamma_difference %{{.*}}, %{{.*}} : f64
  %g17 = loss.trigamma_difference %f11, %f12 : f64
  // CHECK: loss.yield %{{.*}} : tensor<?xf64, #loss.axes<batch>>
  loss.yield %g : tensor<?xf64, #b>
}

// CHECK-LABEL: loss.kernel @kernel
loss.kernel @kernel attributes {axes = #loss.axes<batch, class>, class_axis = "class", element = f32, mode = "grad", returns = [#loss.role<value 0>],
    roles = [#loss.role<input 0>, #loss.role<input 1>, #loss.role<grad 0>, #loss.role<scale 0>], row_axis = "batch", target = "index"} {
^bb0(%x: !loss.array<f32, <class>>, %t: i64, %dx: !loss.array<f32, <class>>, %scale: f32):
  // CHECK: loss.scratch : !loss.array<f32, <class>>
  %scratch = loss.scratch : !loss.array<f32, <class>>
  // CHECK: loss.load %{{.*}}[%{{.*}}] : !loss.array<f32, <class>> -> f32
  %xt = loss.load %x[%t] : !loss.array<f32, <class>> -> f32
  // CHECK: loss.phase over <class> reads(%{{.*}} : !loss.array<f32, <class>>) along [#loss.axes<class>] writes(%{{.*}} : !loss.array<f32, <class>>) reduces [#loss<reduction max>] -> f32
  %m = loss.phase over <class> reads(%x : !loss.array<f32, <class>>) along [#loss.axes<class>] writes(%scratch : !loss.array<f32, <class>>) reduces [#loss<reduction max>] -> f32 {
  ^bb0(%e: f32):
    // CHECK: loss.is_class %{{.*}} over "class"
    %is = loss.is_class %t over "class"
    %a = arith.select %is, %e, %scale : f32
    // CHECK: loss.phase_yield reduce(%{{.*}} : f32) write(%{{.*}} : f32)
    loss.phase_yield reduce(%e : f32) write(%a : f32)
  }
  // CHECK: loss.scan {{ *}}sum %{{.*}} into %{{.*}} over "class" : !loss.array<f32, <class>> into !loss.array<f32, <class>>
  loss.scan sum %x into %scratch over "class" : !loss.array<f32, <class>> into !loss.array<f32, <class>>
  // CHECK: loss.scan {{ *}}decayed_sum %{{.*}} at %{{.*}} into %{{.*}} over "class" reverse : !loss.array<f32, <class>> at !loss.array<f32, <class>> into !loss.array<f32, <class>>
  loss.scan decayed_sum %x at %x into %scratch over "class" reverse : !loss.array<f32, <class>> at !loss.array<f32, <class>> into !loss.array<f32, <class>>
  // CHECK: loss.kernel_return %{{.*}} : f32
  loss.kernel_return %m : f32
}

#bd = #loss.axes<batch, dim>
#bo = #loss.axes<batch, other>

// CHECK-LABEL: loss.program @pairs
// CHECK-SAME: copies = {other = "batch"}
loss.program @pairs(%x: tensor<?x?xf64, #bd> {loss.kind = "input", loss.name = "x"}) -> (tensor<?xf64, #loss.axes<batch>> {loss.result = "value"})
    attributes {axes = #loss.axes<batch, dim, other>, copies = {other = "batch"}} {
  // CHECK: loss.rename %{{.*}} "batch" to "other" : tensor<?x?xf64, #loss.axes<batch, dim>> -> tensor<?x?xf64, #loss.axes<dim, other>>
  %y = loss.rename %x "batch" to "other" : tensor<?x?xf64, #bd> -> tensor<?x?xf64, #loss.axes<dim, other>>
  // CHECK: loss.norm %{{.*}} over "dim"
  %n = loss.norm %y over "dim" : tensor<?x?xf64, #loss.axes<dim, other>> -> tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.position "other" : tensor<?xf64, #loss.axes<other>>
  %i = loss.position "other" : tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.cumsum %{{.*}} by %{{.*}} over "other" reverse : tensor<?xf64, #loss.axes<other>> by tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  %c = loss.cumsum %n by %i over "other" reverse : tensor<?xf64, #loss.axes<other>> by tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.logcumsumexp %{{.*}} over "other" : tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  %l = loss.logcumsumexp %c over "other" : tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.decayed_cumsum %{{.*}} at %{{.*}} by %{{.*}} over "other" reverse : tensor<?xf64, #loss.axes<other>> at tensor<?xf64, #loss.axes<other>> by tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  %d = loss.decayed_cumsum %n at %l by %i over "other" reverse : tensor<?xf64, #loss.axes<other>> at tensor<?xf64, #loss.axes<other>> by tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.stop_gradient
  %s = loss.stop_gradient %c : tensor<?xf64, #loss.axes<other>>
  // CHECK: loss.custom_gradient %{{.*}} by %{{.*}} is %{{.*}} : tensor<?xf64, #loss.axes<other>>
  %g = loss.custom_gradient %s by %c is %n : tensor<?xf64, #loss.axes<other>>, tensor<?xf64, #loss.axes<other>>, tensor<?xf64, #loss.axes<other>>
  %b = loss.rename %g "other" to "batch" : tensor<?xf64, #loss.axes<other>> -> tensor<?xf64, #loss.axes<batch>>
  loss.yield %b : tensor<?xf64, #loss.axes<batch>>
}
