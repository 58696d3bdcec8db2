vcl 4.1;

backend upstream {
  .host = "127.0.0.1";
  .port = "@upstreamport@";
}
