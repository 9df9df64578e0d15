# Three-level models, and effects with a known covariance: writes multilevel.json

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

# nlminb as close as it will go: it reports a failure where its limits are below rounding
fit <- function(...) {
  for (digits in c(14, 13, 12, 11, 10)) {
    control <- list(optimizer = "nlminb", rel.tol = 10^-digits, x.tol = 1e-12, iter.max = 10000, eval.max = 10000)
    r <- tryCatch(suppressWarnings(rma.mv(..., control = control)), error = function(e) NULL)
    if (!is.null(r)) return(r)
  }
  stop("no convergence")
}
group <- function(x) as.integer(factor(x, levels = unique(x)))
set <- function(yi, vi, outer, inner, x) {
  list(yi = numbers(yi), vi = numbers(vi), outer = group(outer), inner = group(inner), X = cbind(1, x))
}
k11 <- dat.konstantopoulos2011
assink <- dat.assink2016
sets <- list(
  konstantopoulos = set(k11$yi, k11$vi, k11$district, k11$study, k11$year - 1990),
  konstantopoulos_pairs = set(k11$yi, k11$vi, k11$district, paste(k11$district, (k11$school + 1) %/% 2), k11$year - 1990),
  assink = set(assink$yi, assink$vi, assink$study, assink$id, assink$year),
  no_inner_variance = set(c(.1, .12, .52, .5, -.2, -.22, .3, .33), rep(c(.02, .05), 4), rep(1:4, each = 2), 1:8, 1:8),
  no_variance = set(c(.1, .12, .14, .1, .12, .09), rep(.2, 6), rep(1:3, each = 2), 1:6, 1:6)
)
one <- function(s, moderated, method) {
  mods <- if (moderated) s$X else matrix(1, length(s$yi), 1)
  frame <- data.frame(outer = s$outer, inner = s$inner)
  r <- fit(s$yi, s$vi, mods = mods, intercept = FALSE, random = ~ 1 | outer/inner, data = frame, method = method)
  list(moderated = moderated, method = tolower(method), estimate = numbers(r$beta), se = numbers(r$se),
       sigma2 = numbers(r$sigma2), log_likelihood = number(logLik(r)), q = number(r$QE))
}
cases <- unlist(lapply(names(sets), function(n) unlist(lapply(c(FALSE, TRUE), function(m) {
  lapply(c("ML", "REML"), function(method) c(list(set = n), one(sets[[n]], m, method)))
}), recursive = FALSE)), recursive = FALSE)

# several arms against one control: made up
arms <- data.frame(
  study = c(1, 1, 2, 3, 3, 3, 4, 4, 5, 5), trt = c(1, 2, 1, 1, 2, 3, 1, 3, 1, 2),
  ai = c(40, 150, 300, 9, 20, 31, 12, 31, 7, 16), n1i = c(400, 380, 900, 60, 66, 59, 80, 78, 40, 44),
  ci = c(44, 44, 317, 16, 16, 16, 9, 9, 8, 8), n2i = c(410, 410, 890, 61, 61, 61, 77, 77, 39, 39))
shared <- function(measure) {
  e <- escalc(measure, ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = arms)
  p <- arms$ci / arms$n2i
  own <- switch(measure, OR = 1 / arms$ci + 1 / (arms$n2i - arms$ci), RR = 1 / arms$ci - 1 / arms$n2i,
                RD = p * (1 - p) / arms$n2i)
  V <- diag(e$vi)
  for (i in seq_along(own)) for (j in seq_along(own)) if (i != j && arms$study[i] == arms$study[j]) V[i, j] <- own[i]
  list(measure = measure, yi = as.numeric(e$yi), V = V)
}
pooled <- function(s, method, test) {
  frame <- data.frame(row = seq_along(s$yi))
  r <- if (method == "EE") rma.mv(s$yi, s$V, test = test) else
    fit(s$yi, s$V, random = ~ 1 | row, data = frame, method = method, test = test)
  p <- predict(r)
  list(measure = s$measure, method = if (method == "EE") "common" else tolower(method), test = test,
       estimate = number(r$beta), se = number(r$se), low = number(r$ci.lb), high = number(r$ci.ub), p = number(r$pval),
       tau2 = number(sum(r$sigma2)), q = number(r$QE), weights = numbers(weights(r, type = "rowsum")),
       pi_low = number(p$pi.lb), pi_high = number(p$pi.ub))
}
blocks <- lapply(c("OR", "RR", "RD"), shared)
pools <- unlist(lapply(blocks, function(s) unlist(lapply(c("EE", "ML", "REML"), function(method) {
  lapply(c("z", "t"), function(test) pooled(s, method, test))
}), recursive = FALSE)), recursive = FALSE)

put(list(calls = list(multilevel = "rma.mv(yi, vi, mods =, random = ~ 1 | outer/inner, method =)",
                      correlated = "rma.mv(yi, V, random = ~ 1 | row, method =, test =)",
                      control = "optimizer nlminb, rel.tol 1e-14 where it converges, x.tol 1e-12"),
         sets = sets, cases = cases, arms = as.list(arms), blocks = blocks, pools = pools), "multilevel.json")
